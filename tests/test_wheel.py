"""The wheel: it holds every file of the product, and runs where there is no checkout."""

import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.helpers.browser import free_port, wait_for
from tests.helpers.conversation import open_page
from tests.helpers.paths import ROOT

PACKAGES = ("dashboard", "risk", "geo", "data")


def list_files(folder):
    """List what belongs to the product below a folder: no compiled files, nothing that an editor leaves."""
    files = (path.relative_to(folder) for name in PACKAGES for path in (folder / name).rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts and path.name[0] not in ".~#"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True, cwd=folder)
    return next(folder.glob("*.whl"))


def test_it_holds_every_file_of_the_four_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == list_files(ROOT)


def test_the_lock_has_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith("/METADATA"))
        needs = HeaderParser().parsestr(packed.read(name).decode()).get_all("Requires-Dist")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", lock, re.MULTILINE))
    needed = [need for need in map(Requirement, needs) if need.marker is None or "extra" not in str(need.marker)]
    assert len(needed) > 20
    assert [str(need) for need in needed if not need.specifier.contains(locked.get(need.name, "0"))] == []


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the `tact` of a new environment that has the wheel, and the libraries of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    # A folder that is named here lends its libraries, but not the checkout that its own .pth files name.
    (site / "libraries.pth").write_text("\n".join({sysconfig.get_path(name) for name in ("purelib", "platlib")}))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True)
    return folder / "bin" / "tact"


@pytest.mark.slow
def test_it_builds_shows_and_exports_the_demo_without_a_checkout(installed, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    given = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def run(*command):
        done = subprocess.run(command, cwd=home, env=given, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    module = Path(run(installed.with_name("python"), "-c", "import dashboard; print(dashboard.__file__)").strip())
    assert module.is_relative_to(installed.parents[1])
    assert str(home) in run(installed, "demo", "--children", "60")
    run(installed, "export", "--to", "files", "--format", "csv")
    assert list((home / "files").rglob("*.csv"))
    assert list_files(module.parents[1]) == list_files(ROOT), "the product wrote beside its own modules"

    port = free_port()
    command = [installed, "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=home, env=given, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, process)
            page = open_page(url, "map")
            with urllib.request.urlopen(f"{url}/assets/theme.css", timeout=20) as answer:
                assert answer.status == 200
        finally:
            process.terminate()
    assert page.ended == "FINISHED_SUCCESSFULLY"
    assert not page.errors
    assert not page.not_found
