"""A cache whose results a process computes only once, even if many readers ask for the same one at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")
_NOTHING = object()


class _Answer:
    """A result of a function. Threads that ask while it is computed wait for it. An error is not kept."""

    def __init__(self) -> None:
        self._lock, self._value = RLock(), _NOTHING

    def read(self, compute: Callable[[], object]) -> Any:  # noqa: ANN401
        """Return the result; the first caller computes it with `compute`."""
        if self._value is _NOTHING:
            with self._lock:
                if self._value is _NOTHING:
                    self._value = compute()
        return self._value


def cache_once(maxsize: int) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator like `functools.lru_cache` that computes a result once even for calls at the same time.

    After a new release or a start, all open pages ask for the same results: if each computed them, a hundred pages
    would take minutes.
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
