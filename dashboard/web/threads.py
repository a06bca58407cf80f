"""The threads of the accounts, which nothing else takes: for looks at their file, and for comparing passphrases.

asyncio's own threads are few, four more than the machine has cores, and files that readers ask for take them for as
long as they are made. In those, some readers of files would hold up the door, and with it every page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LOOKS = ThreadPoolExecutor(8, "accounts")
# One passphrase at a time, at 64 MiB and a quarter of a second each, so that the map has room beside it.
_PASSPHRASES = ThreadPoolExecutor(1, "passphrases")


async def look_up(function: Callable[_P, _R], *arguments: _P.args, **more: _P.kwargs) -> _R:
    """Run what reads or writes the file of accounts within milliseconds."""
    return await _run(_LOOKS, lambda: function(*arguments, **more))


async def compare_passphrase(function: Callable[_P, _R], *arguments: _P.args, **more: _P.kwargs) -> _R:
    """Run what compares a passphrase, after those that came before."""
    return await _run(_PASSPHRASES, lambda: function(*arguments, **more))


async def _run(threads: Executor, work: Callable[[], _R]) -> _R:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
