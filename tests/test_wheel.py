"""The wheel: it holds every file of the product, and runs where there is no checkout."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from contextlib import contextmanager
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.helpers.browser import free_port
from tests.helpers.conversation import open_page
from tests.helpers.entry import cookie_headers, enter
from tests.helpers.paths import ROOT

PACKAGES = ("tact", "dashboard", "risk", "geo", "data")


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


@pytest.mark.slow
def test_it_holds_every_file_of_the_five_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == list_files(ROOT)


@pytest.mark.slow
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
    """Return the programs of a new environment that has the wheel, and the libraries of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    # A folder that is named here lends its libraries, but not the checkout that its own .pth files name.
    (site / "libraries.pth").write_text("\n".join({sysconfig.get_path(name) for name in ("purelib", "platlib")}))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True)
    return folder / "bin"


def read_container():
    """Return the commands of the Containerfile: how the map starts, and how its health is asked for."""
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return [json.loads(re.search(rf"{name} (\[.*\])$", text, re.MULTILINE)[1]) for name in ("ENTRYPOINT", "CMD")]


def test_the_service_starts_what_the_container_starts_for_this_machine_alone():
    unit = (ROOT / "deploy" / "tact-map.service").read_text(encoding="utf-8")
    words = re.search("^ExecStart=(.*)$", unit, re.MULTILINE)[1]
    start = " ".join(read_container()[0])
    assert words == f"{start.replace(' --host 0.0.0.0', '')} --signed-by ${{SIGNED_BY}} $OPTIONS"


def wait_until(is_so):
    """Wait until something is so; fail after a minute."""
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.2)


class Home:
    """The home folder of somebody who has an installed `tact` and no checkout."""

    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.env = {
            "HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"
        }  # fmt: skip

    def run(self, name, *words):
        """Run an installed program to its end; return its output."""
        done = subprocess.run(
            [self.programs / name, *words], cwd=self.folder, env=self.env, capture_output=True, text=True,
            timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serve(self, *command):
        """Run a server until it is no longer needed; yield its address, which one may then ask."""
        with subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            try:
                matches = (re.search(r"http://[^\s\"]+", line) for line in process.stdout)
                url = enter(next(match[0] for match in matches if match))
                yield url
            finally:
                process.terminate()


def check_map(url):
    """Check that the page of the map opens, with its style."""
    page = open_page(url, "map")
    assert (page.ended, page.errors, page.not_found) == ("FINISHED_SUCCESSFULLY", [], False)
    asked = urllib.request.Request(f"{url}/assets/theme.css", headers=cookie_headers(url))
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 200


@pytest.mark.long
def test_it_releases_exports_and_shows_without_a_checkout(installed, tmp_path):
    home = Home(tmp_path, installed)
    package = Path(home.run("python", "-c", "import dashboard; print(dashboard.__file__)").strip()).parent
    assert package.is_relative_to(installed.parent)
    lines = "import tact, json; print(json.dumps([tact.__file__, tact.open_release.__module__]))"
    public = json.loads(home.run("python", "-c", lines))
    assert Path(public[0]).is_relative_to(installed.parent)
    assert public[1] == "tact.release"
    home.run("tact", "init", "--practice")
    home.run("tact", "release", "--figures-only")
    home.run("tact", "export", "--to", "files", "--format", "csv")
    assert list((tmp_path / "files").rglob("*.csv"))

    # The container and the service get what is published, and the key that signed it.
    key = json.loads(home.run("tact", "publish", "--to", "public", "--json"))["key"]
    port = str(free_port())
    changes = {"/opt/tact-map/bin": str(installed), "/srv/tact-map": str(tmp_path / "public"), "8642": port}
    start, health = read_container()
    for old, new in changes.items():
        start, health = ([word.replace(old, new) for word in command] for command in (start, health))
    with home.serve(*start, "--signed-by", key):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: subprocess.run(health, check=False, capture_output=True).returncode == 0)
        check_map(url)
    assert list_files(package.parent) == list_files(ROOT), "the product wrote beside its own modules"


@pytest.mark.long
def test_it_builds_and_shows_the_demo_without_a_checkout(installed, tmp_path):
    home = Home(tmp_path, installed)
    demo = Path(json.loads(home.run("tact", "demo", "--children", "60", "--json"))["workspace"])
    assert demo.is_relative_to(tmp_path)
    with home.serve(installed / "tact", "serve", "--port", str(free_port())) as url:
        check_map(url)
