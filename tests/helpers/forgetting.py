"""Run as a program, delete a child's records; fault tests kill this process: see test_forget_killed.py."""

import sys
from pathlib import Path

from tests.helpers import killing


def main(folder, key, child):
    from data.restricted.vault import Vault

    with Vault.open(Path(folder), bytes.fromhex(key)) as vault:
        killing.mark()
        killing.watch(vault._connection, 1_000)
        vault.forget([child])
        killing.mark()
    killing.mark(killing.END)


if __name__ == "__main__":
    main(*sys.argv[1:])
