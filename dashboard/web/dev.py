"""`tact serve --dev`, for engineers: a page whose code was changed is shown anew within a second, without a restart.

Changed modules of `dashboard` are imported again into their place, then all loaded modules of their wing and of the
pages, because these have names of the changed ones. What the server has built once (routes, middleware, styles,
scripts, translations) needs a restart.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from threading import Lock
from types import ModuleType

import streamlit as st

_SECONDS = 0.5  # between two looks
_PAGES = "dashboard.pages"


class Watch:
    """The loaded modules of `dashboard` and when their files were written. `number` counts the changes."""

    def __init__(self) -> None:
        self._lock, self._times = Lock(), _read_times()
        self.number, self.error = 0, ""

    def look(self) -> int:
        """Import changed modules again, and return the number of the code. `error` is a traceback, or empty."""
        with self._lock:
            now = _read_times()
            changed = [name for name, time in now.items() if time != self._times.setdefault(name, time)]
            if changed:
                self._times, self.error = now, ""
                self.number += 1
                wings = (_PAGES, *(".".join(name.split(".")[:2]) for name in changed))
                try:
                    for name in [*changed, *(name for name in now if name.startswith(wings) and name not in changed)]:
                        importlib.reload(sys.modules[name])
                except Exception:  # noqa: BLE001 (whatever an engineer has written)
                    self.error = traceback.format_exc()
            return self.number


_watches: list[Watch] = []


def start() -> None:
    """Watch the code from now on."""
    _watches[:] = [Watch()]


def look() -> int:
    """Import what has changed, and return the number of the code; 0 without --dev."""
    return _watches[0].look() if _watches else 0


def watch_page(number: int) -> None:
    """Draw the page again when the code has another number; show why if it cannot be imported. Else do nothing."""
    for watch in _watches:
        if watch.error:
            st.code(watch.error, language="python")
        st.fragment(_look_again, run_every=_SECONDS)(number)


def _look_again(number: int) -> None:
    if look() != number:
        st.rerun()


def _read_times() -> dict[str, int]:
    """Return when the file of each loaded module of `dashboard` was written, by name, in the order of the imports."""
    modules = [(name, module) for name, module in sys.modules.copy().items() if _is_watched(name, module)]
    return {name: Path(str(module.__file__)).stat().st_mtime_ns for name, module in modules}


def _is_watched(name: str, module: ModuleType) -> bool:
    return name.startswith("dashboard.") and name != __name__ and bool(getattr(module, "__file__", None))
