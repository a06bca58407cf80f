"""Cases of a test of which a few run always, and the rest with `make long`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def list_cases(cases: Iterable[Any], *always: Any) -> list[Any]:
    """Return the cases for `parametrize`, all of them marked `long` but those that run always."""
    listed = list(cases)
    assert set(always) <= set(listed), "a case that runs always must be one of the cases"
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=() if case in always else pytest.mark.long)
        for case in listed
    ]
