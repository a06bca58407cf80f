"""The demo world of the tests, built by whoever needs it first.

`python -m tests.helpers.demo_world FOLDER` builds it ahead of the tests that get the folder as TACT_SHARED. For this
the packages of the product are enough.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock

from dashboard.commands.demo import build_demo
from tests.helpers.remembered_fits import remember_fits


def list_variables(shared: Path) -> dict[str, str]:
    """Return the environment variables with which the demo's keys are stored in `shared`, beside the demo."""
    return {"XDG_CONFIG_HOME": str(shared / "demo-config"), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def build_once(shared: Path) -> Path:
    """Build the demo world in a folder, unless it is there or another process builds it; return its workspace."""
    folder = shared / "demo-world"
    with FileLock(shared / "demo-world.lock"):
        if not folder.exists():
            aside = shared / "demo-world-building"
            build_demo(aside)
            aside.replace(folder)
    return folder


def main() -> None:
    shared = Path(sys.argv[1])
    shared.mkdir(parents=True, exist_ok=True)
    os.environ.update(list_variables(shared))
    remember_fits(setattr, shared / "fits")
    build_once(shared)


if __name__ == "__main__":
    main()
