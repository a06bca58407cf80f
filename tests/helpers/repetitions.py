"""Cases of a test of which a few run always, and the rest with `make long`.

Two ways say which ones: `vary` where the cases are listed, by value; the marker `always` of a test, by what stands in
brackets behind its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest


def vary(names: str, cases: Iterable[Any], *always: Any, **settings: Any) -> pytest.MarkDecorator:
    """Try one promise in several cases, those of `always` with each change and the others by `make long`.

    names : as for `parametrize`, of which this is a form; cases are tuples where it has a comma. always : by default
    the first case.
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
    """Return which case of its test an item is: what stands in brackets behind the name."""
    return item.name.partition("[")[2].removesuffix("]")


def refuse_unknown_cases(items: Iterable[pytest.Item]) -> None:
    """Refuse a marker `always` that names a case which its test does not have; `items` has all cases of each test."""
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
