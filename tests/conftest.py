"""Fixtures for all tests: separate user folders, the command line, and one demo world for the whole run."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.repetitions import find_case, refuse_unknown_cases, slow_down

# A slow machine must not fail a test: none of these tests is about time.
settings.register_profile(
    "tact", settings.get_profile("default"), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tact")

# While tests are collected, hardly anything is garbage: `pytest_collection_finish` turns it on again.
gc.disable()

# As the product sets it (dashboard/web/script/config.toml): a page does not record usage statistics.
os.environ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "false"
# Each core has a worker of its own: threads of linear algebra would wait for one another (data/workspace/threads.py).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REFERENCE, SHARED = "TACT_REFERENCE", "TACT_SHARED"
# What a system may lack: everything else that a test needs is installed by `make`.
ALLOWED_SKIPS = (
    "POSIX",
    "no SIGKILL",
    "watches files as Linux does",
    "mounting a small disk",
    "does not let us mount a small disk",
    "no network namespaces here",
    "no R with sf and jsonlite here",
    "QGIS for Python (Debian: python3-qgis) is not installed",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference",
        metavar="DIR",
        default=os.environ.get(REFERENCE),
        help=f"a folder of real boundary files, for the tests marked conformance (or {REFERENCE})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make `--dist loadfile` start files in the order of their tests; by default those with most tests come first."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark tests that need the demo world, which takes long to build, and cases that only `make long` runs."""
    if _needs_demo(item):
        item.add_marker("demo")
    always = item.get_closest_marker("always")
    if always and find_case(item) not in always.args:
        item.add_marker("long")


def _needs_demo(item: pytest.Item) -> bool:
    return "demo_world" in getattr(item, "fixturenames", ())


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Leave out the conformance tests if no real files are given; run tests of the demo world last, long ones first.

    One test of the demo world is the very first: its worker builds that world while the others run tests that do not
    need it. No worker is left with a long test at the end. Tests of a file stay together, because they share fixtures.
    All this is after the tests are chosen (-m, -k): the first of those that run is to be the builder.
    """
    if not any("::" in word for word in config.args):
        refuse_unknown_cases(items)
    slow_down(items)
    yield
    if not config.getoption("--reference"):
        left_out = [item for item in items if item.get_closest_marker("conformance")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker("conformance")]
    longest = dict[tuple[bool, Path], int]()
    for item in items:
        longest[_find_group(item)] = max(longest.get(_find_group(item), 0), _read_seconds(item))
    items.sort(key=lambda item: (_find_group(item)[0], -longest[_find_group(item)]))
    builder = next((item for item in items if _needs_demo(item)), None)
    items.sort(key=lambda item: item is not builder)


def _find_group(item: pytest.Item) -> tuple[bool, Path]:
    """Return whether a test needs the demo world, and the path of its file."""
    return _needs_demo(item), item.path


def _read_seconds(item: pytest.Item) -> int:
    """Return the seconds that the markers `slow` and `browser` state for a test, the largest; 0 without them."""
    markers = [marker for name in ("slow", "browser") for marker in item.iter_markers(name)]
    return max((marker.kwargs.get("seconds", 0) for marker in markers), default=0)


def pytest_collection_finish() -> None:
    """Stop the garbage collector from searching all collected tests and packages again and again."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Search for garbage once at the end, not five times: what raises an error when it goes is found by the first."""
    gc.collect()
    gc.freeze()


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure under CI, unless the platform is the reason."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not any(allowed in reason for allowed in ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"{reason}. Under CI nothing may be skipped for want of a package or a file."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def reference_folder(request: pytest.FixtureRequest) -> Path:
    """Return the folder of real boundary files that the option --reference names."""
    return Path(request.config.getoption("--reference"))


@dataclass(frozen=True)
class Answer:
    """The answer of a command: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the workspaces, keys and keyring of the user."""
    move_home(monkeypatch, tmp_path_factory.getbasetemp() / "home")


def move_home(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Set environment variables so that the folder `home` replaces the user's home folder."""
    for variable, folder in {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config"}.items():
        patch.setenv(variable, str(home / folder))
    patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for variable in ("TACT_WORKSPACE", "TACT_VAULT_KEY", "TACT_IDENTIFIER_KEY", "TACT_NEW_VAULT_KEY"):
        patch.delenv(variable, raising=False)


@pytest.fixture
def copied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object], Path], Path]:
    """Return a function with the arguments `name`, `make` and `to`, which copies the original folder `name` to `to`.

    Before the first copy, `make` makes the original.

    The keys of a workspace are in the home folder of all tests, so they open its copies too.
    """

    def copy(name: str, make: Callable[[Path], object], to: Path) -> Path:
        original = tmp_path_factory.getbasetemp() / "originals" / name
        if not original.exists():
            aside = original.with_name(f"{name}-making")
            aside.parent.mkdir(exist_ok=True)
            make(aside)
            aside.replace(original)
        return Path(shutil.copytree(original, to))

    return copy


@pytest.fixture
def tact(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Return a function that runs the command line in this process: tact("--workspace", w, "doctor", "--json")."""
    from dashboard.cli import main

    def run(*words: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["tact", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        seen = capsys.readouterr()
        return Answer(code, seen.out, seen.err)

    return run


@pytest.fixture
def stoppable() -> Iterator[None]:
    """Make Ctrl+C stop the processes that a test starts, also if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def remembered_components() -> Iterator[None]:
    """Look for Streamlit components once in a process; otherwise each AppTest searches all packages."""
    if "streamlit.testing.v1" not in sys.modules:
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_flush() -> Iterator[None]:
    """Do not wait for the disk: a release writes many files, and a vault writes some at each change."""
    from tests.helpers.quick import skip_flushes

    with pytest.MonkeyPatch.context() as patch:
        skip_flushes(patch)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the folder that all workers of a run share; TACT_SHARED names one for several runs (.ci/run)."""
    if SHARED in os.environ:
        folder = Path(os.environ[SHARED])
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(autouse=True)
def remembered_fits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tests of the demo world, fit the same observations only once in a run."""
    if "demo_world" in request.fixturenames:
        from tests.helpers.remembered_fits import remember_fits

        remember_fits(monkeypatch.setattr, request.getfixturevalue("shared") / "fits")


@pytest.fixture(scope="session")
def demo_world(shared: Path) -> Path:
    """Build the demo world once for all workers; tests never change it. Its keys are in a folder beside it."""
    from tests.helpers.demo_world import build_once, list_variables
    from tests.helpers.remembered_fits import remember_fits

    with pytest.MonkeyPatch.context() as patch:
        for name, value in list_variables(shared).items():
            patch.setenv(name, value)
        remember_fits(patch.setattr, shared / "fits")
        return build_once(shared)


@pytest.fixture
def few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use fewer worlds in the membership attack, for tests that do not check what a release withholds."""
    from tests.helpers.quick import use_few_worlds

    use_few_worlds(monkeypatch)


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use fewer draws of the risk model, for tests that do not check its numbers."""
    from tests.helpers.quick import use_few_draws

    use_few_draws(monkeypatch)


@pytest.fixture
def cheap_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive the keys of backups cheaply, for tests that do not check how well a passphrase protects."""
    from tests.helpers.quick import derive_keys_cheaply

    derive_keys_cheaply(monkeypatch)


@dataclass(frozen=True)
class Scored:
    """The folders of the demo's releases and of the results derived from them."""

    releases: Path
    derived: Path


@pytest.fixture(scope="session")
def scored(demo_world: Path) -> Scored:
    """Return the demo world with the results from its building; tests never change it."""
    return Scored(demo_world / "releases", demo_world / "derived")
