"""Name the quick tests of what was changed, or of a part of the product, for `make unit`.

    python -m scripts.unit_tests            of the files that differ from main, and from the last commit
    python -m scripts.unit_tests wall       of a part: wall, risk, map or office

The tests mirror the tree: those of data/schema/kinds.py are tests/data/schema/test_kinds.py, or else all of the folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = "tests/test_structure.py"
PARTS = {
    # What keeps records from the outside.
    "wall": ("tests/data/restricted", "tests/data/disclosure", "tests/data/release", "tests/data/tables"),
    # What is computed from published numbers.
    "risk": ("tests/risk",),
    # What people see.
    "map": ("tests/geo", "tests/dashboard/map", "tests/dashboard/pages", "tests/dashboard/narrative"),
    # What people do: sign in, meet, enter records, type commands.
    "office": ("tests/data/accounts", "tests/dashboard/web", "tests/dashboard/desk", "tests/dashboard/commands"),
}


def list_changed() -> list[str]:
    """Return the paths of files that differ from main or from the last commit, and of new files."""
    asked = (["diff", "--name-only", "main"], ["diff", "--name-only", "HEAD"], ["ls-files", "-o", "--exclude-standard"])
    lines = [subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False) for words in asked]
    return sorted({path for done in lines for path in done.stdout.splitlines()})


def find_tests(path: str) -> str:
    """Return the file or folder of the tests of a changed file; empty for a file without any."""
    changed = Path(path)
    if changed.parts[0] == "tests":
        return path if changed.name.startswith("test_") and (ROOT / path).exists() else ""
    folder = ROOT / "tests" / changed.parent
    if (test := folder / f"test_{changed.stem}.py").exists() and changed.suffix == ".py":
        return str(test.relative_to(ROOT))
    while not folder.exists():
        folder = folder.parent
    # Of a file of no package, only the tests of the structure.
    return "" if folder == ROOT / "tests" else str(folder.relative_to(ROOT))


def main(words: list[str]) -> None:
    """Print the tests; exit with 2 for a part that does not exist."""
    if words and words[0] not in PARTS:
        sys.exit(f"There is no part {words[0]!r}: {', '.join(PARTS)}.")
    tests = set(PARTS[words[0]]) if words else {find_tests(path) for path in list_changed()} - {""}
    inside = {test for test in tests if any(str(folder) in tests for folder in Path(test).parents)}
    print(" ".join(sorted(tests - inside | {ALWAYS})))


if __name__ == "__main__":
    main(sys.argv[1:])
