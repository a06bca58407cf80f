"""Cases of a test of which a few run always, and the rest with `make long`."""

from __future__ import annotations

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
