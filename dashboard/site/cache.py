"""Answers that a process computes only once, even if many readers ask for the same answer at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")
_NOTHING = object()


class _Answer:
    """One answer. Readers who ask while it is computed wait for it. An error is not kept as an answer."""

    def __init__(self) -> None:
        self._lock, self._value = RLock(), _NOTHING

    def read(self, compute: Callable[[], object]) -> Any:  # noqa: ANN401
        """Return the answer; the first caller computes it."""
        if self._value is _NOTHING:
            with self._lock:
                if self._value is _NOTHING:
                    self._value = compute()
        return self._value


def cache_once(maxsize: int) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator like `functools.lru_cache` that computes an answer once even for calls at the same time.

    After a release or a start, all open pages ask for the same answers: without it, a hundred pages take minutes.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @lru_cache(maxsize=maxsize)
        def find_answer(*_arguments: Any, **_more: Any) -> _Answer:  # noqa: ANN401
            return _Answer()

        @wraps(function)
        def ask(*arguments: Any, **more: Any) -> _R:  # noqa: ANN401
            answer: _R = find_answer(*arguments, **more).read(lambda: function(*arguments, **more))
            return answer

        return cast("Callable[_P, _R]", ask)

    return decorate
