"""Run the unit tests on every Python that the product supports, and with the lowest allowed dependencies.

    python scripts/matrix.py              all Pythons that are installed, and the lowest dependencies
    python scripts/matrix.py 3.12 lowest  only these

Each gets a separate environment in build/matrix and runs the unit tests there (UNIT in the Makefile).
Needs uv, which the development environment has; uv finds the Pythons on the search path.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
LOWEST = "lowest"


def find_uv() -> str:
    """Return the path of uv, beside this Python or on the search path. Raises SystemExit if uv is not installed."""
    path = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if path is None:
        sys.exit("uv is not installed. Install it: pip install uv")
    return path


def find_python(uv: str, version: str) -> str | None:
    """Return the path of an installed Python of this version; None if there is none."""
    process = subprocess.run(
        [uv, "python", "find", "--no-project", "--no-python-downloads", "--system", version],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return process.stdout.strip() or None


def list_lowest_requirements(uv: str, folder: Path, python: str) -> Path:
    """Write a file of the lowest versions that pyproject.toml allows, and return its path."""
    file = folder / "lowest.txt"
    subprocess.run(
        [uv, "pip", "compile", "--quiet", "--python", python, "--resolution", "lowest-direct",
         "--only-binary", ":all:", "--extra", "dev", "--output-file", str(file), "pyproject.toml"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return file


def try_out(uv: str, name: str, python: str, tests: list[str]) -> bool:
    """Install everything into a separate environment and run the tests; return whether all passed."""
    folder = ROOT / "build" / "matrix" / name
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder / "venv" / "bin" / "python"
    if not inside.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", python, str(folder / "venv")], check=True)
    locked = ROOT / "requirements-dev.lock"
    wanted = list_lowest_requirements(uv, folder, python) if name == LOWEST else locked
    install = [uv, "pip", "install", "--quiet", "--python", str(inside)]
    subprocess.run([*install, "-r", str(wanted)], cwd=ROOT, check=True)
    # Warnings of old versions are expected; those of the locked ones are errors.
    lenient = ["-W", "default"] if name == LOWEST else []
    command = [str(inside), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-m", "not browser and not long"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*command, *lenient, *tests], cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    """Run the tests on each requested Python, print the results, and return the exit code (1 if any failed)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("which", nargs="*", help=f"of {', '.join(PYTHONS)} and {LOWEST}; all unless named")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="folders of tests")
    options = parser.parse_args()
    uv, went = find_uv(), {}
    for name in options.which or [*PYTHONS, LOWEST]:
        python = find_python(uv, PYTHONS[0] if name == LOWEST else name)
        begun = time.monotonic()
        if python is None:
            went[name] = "not installed here, not tried"
        else:
            passed = try_out(uv, name, python, options.tests)
            went[name] = f"{'passed' if passed else 'FAILED'} in {time.monotonic() - begun:.0f} s"
        print(f"{name}: {went[name]}", flush=True)
    print("\n".join(["", *(f"{name:8} {words}" for name, words in went.items())]))
    return int(any("FAILED" in words for words in went.values()))


if __name__ == "__main__":
    sys.exit(main())
