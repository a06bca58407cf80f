"""Threads that only the accounts use: some to read and write their file, and one to compare passphrases.

asyncio has few threads of its own, four more than the machine has cores. A file that a reader asks for occupies one of
them until the file is made. If the door used these threads too, some readers of files would delay it and every page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LOOKS = ThreadPoolExecutor(8, "accounts")
# One passphrase at a time: each takes 64 MiB and a quarter of a second, and the map needs memory and time too.
_PASSPHRASES = ThreadPoolExecutor(1, "passphrases")


async def look_up(function: Callable[_P, _R], *arguments: _P.args, **more: _P.kwargs) -> _R:
    """Run a function that reads or writes the file of accounts within milliseconds, and return its result."""
    return await _run(_LOOKS, lambda: function(*arguments, **more))


async def compare_passphrase(function: Callable[_P, _R], *arguments: _P.args, **more: _P.kwargs) -> _R:
    """Run a function that compares a passphrase after all earlier such functions, and return its result."""
    return await _run(_PASSPHRASES, lambda: function(*arguments, **more))


async def _run(threads: Executor, work: Callable[[], _R]) -> _R:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
