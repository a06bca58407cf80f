"""The process that the fault tests kill while it forgets a child: see test_forget_killed.py."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(folder, key, child):
    from data.restricted.vault import Vault

    killing = runpy.run_path(str(HERE / "killing.py"))
    with Vault.open(Path(folder), bytes.fromhex(key)) as vault:
        killing["mark"]()
        killing["watch"](vault._connection, 1_000)
        vault.forget([child])
        killing["mark"]()
    killing["mark"](killing["END"])


if __name__ == "__main__":
    main(*sys.argv[1:])
