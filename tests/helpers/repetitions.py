"""Run a few cases of a test always, and its other cases later.

Of a test with many cases, `make test` runs one in four and `.ci/run` all (`slow_down`). Other cases run only with
`make long`. There are two ways to choose the cases that always run: `vary` names them by value, in the list of cases;
the marker `always` of a test names them by the text in brackets after the test's name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

_MANY, _EACH = 8, 4  # cases


def vary(names: str, cases: Iterable[Any], *always: Any, **settings: Any) -> pytest.MarkDecorator:
    """Return a `parametrize` marker for these cases: those in `always` run always, the others only with `make long`.

    names : as for `parametrize`; if it contains a comma, cases are tuples. always : by default the first case.
    settings : further arguments of `parametrize`. Raises AssertionError if `always` has a case that is not in `cases`.
    """
    listed = list(cases)
    assert all(case in listed for case in always), "a case that runs always must be one of the cases"
    often = always or listed[:1]
    several = [
        pytest.param(*(case if "," in names else (case,)), marks=() if case in often else pytest.mark.long)
        for case in listed
    ]
    return pytest.mark.parametrize(names, several, **settings)


def find_case(item: pytest.Item) -> str:
    """Return the case of an item, which is the text in brackets after the name of its test; empty without brackets."""
    return item.name.partition("[")[2].removesuffix("]")


def refuse_unknown_cases(items: Iterable[pytest.Item]) -> None:
    """Raise UsageError if a marker `always` names a case that its test does not have.

    items : all cases of each test.
    """
    cases = defaultdict[str, set[str]](set)
    named = defaultdict[str, set[str]](set)
    for item in items:
        if always := item.get_closest_marker("always"):
            test = item.nodeid.partition("[")[0]
            cases[test].add(find_case(item))
            named[test].update(always.args)
    unknown = [f"{test} has no case {case!r}" for test in cases for case in sorted(named[test] - cases[test])]
    if unknown:
        raise pytest.UsageError("\n".join(unknown))


def slow_down(items: Iterable[pytest.Item]) -> None:
    """Mark as slow, of each test with more than eight cases, all but the first of each four and the last."""
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    for listed in cases.values():
        for number, item in enumerate(listed[:-1]):
            if len(listed) > _MANY and number % _EACH:
                item.add_marker("slow")
