"""One thread for linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
T = TypeVar("T")


def on_one_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that runs with one thread in numpy's linear algebra.

    The matrices of this product are small, and several threads wait for one another at each operation: on two
    busy cores a fit took 137 seconds with two threads, 6 with one. One thread also gives the same last digits
    on every machine.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with _find_libraries().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return run


@cache
def _find_libraries() -> ThreadpoolController:
    """Find the libraries for linear algebra once, after all of them are loaded; each search takes milliseconds."""
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
