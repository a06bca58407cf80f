"""The `tact` command, with which a data officer manages records and releases, and starts the map.

Exit codes: 0 done · 1 unexpected error · 2 wrong input or wrong use · 3 workspace · 4 vault, keys or a full disk · 5 a
release that is refused or cannot be read, a table that may not be published, an audit with findings, results that
`tact reproduce` does not repeat, or a log or ledger with a fault · 7 `doctor` found problems · 130 stopped by hand.
With --json after the command, the answer is one JSON value on standard output; progress and messages go to standard
error.

`main` imports the commands only when it can be interrupted, because the libraries take seconds on an old laptop.
"""

from __future__ import annotations

import atexit
import signal
import sys
from types import FrameType
from typing import NoReturn

STOPPED = 130
_WORDS = "Stopped by hand."


def main() -> None:
    """Run the command line and exit with its code. An interruption by the user never prints a traceback."""
    # A handler that somebody else set is not replaced, nor an ignored signal as under nohup.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    try:
        from dashboard.commands.running import run

        code = run()
    except KeyboardInterrupt:
        code = STOPPED
    if code == STOPPED:
        sys.stderr.write(f"\n{_WORDS}\n")
        if "--json" in sys.argv:
            sys.stdout.write(f'{{"error": "Stopped", "message": "{_WORDS}"}}\n')
    # From here there is no work to stop, and an interruption would only print a traceback.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(code)


class _Stopped(KeyboardInterrupt):
    """An interruption by Ctrl+C. A plain KeyboardInterrupt inside `exec` ends the process even if it is caught."""


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped


if __name__ == "__main__":
    main()
