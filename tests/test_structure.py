"""The structure of the product: who may import whom, no import cycles, plain names, and matching test folders."""

import ast
import tomllib

import grimp
import numpy as np
import pytest
from importlinter.cli import lint_imports
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tests.helpers.nonempty import list_idle_loops, nonempty
from tests.helpers.paths import ROOT

PACKAGES = ("tact", "dashboard", "risk", "geo", "data")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
CONTRACTS = {contract["name"]: contract for contract in SETTINGS["importlinter"]["contracts"]}
# The only rooms that may reach behind the wall, and two that hold no code of their own to watch.
MAY_REACH = {"dashboard.cli", "dashboard.commands", "dashboard.desk", "data.restricted", "data.errors"}
# As names these words do not say what a value is: a reader has to look for where it comes from.
# Libraries whose private names no code of ours uses, and the module that alone replaces parts of Streamlit.
LIBRARIES = ("streamlit", "starlette", "uvicorn", "websockets", "asyncio", "typer", "xlsxwriter", "streamlit_folium")
SEAMS = "dashboard/web/streamlit_seams.py"
# Inner parts of Streamlit without an underscore that code of ours uses, each because there is no other way.
INNER = {
    "streamlit.dataframe_util",  # bytes of a table for a chart
    "streamlit.proto",  # what browser and server send each other
    "streamlit.runtime.scriptrunner",  # whether a script runs
    "streamlit.web.bootstrap",  # to set settings before the server is made
}
EMPTY_NAMES = {"told", "held", "made", "kept", "found", "given", "said", "own", "of", "one", "at"}


def rooms(package: str) -> set[str]:
    folder = ROOT.joinpath(*package.split("."))
    names = {p.parent.name if p.name == "__init__.py" else p.stem for p in folder.glob("*.py")}
    names |= {p.parent.name for p in folder.glob("*/__init__.py")}
    return {f"{package}.{name}" for name in names - {folder.name}}


@pytest.fixture(scope="module")
def graph():
    """Return all imports, also deferred imports and those for types alone."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_the_import_contracts_hold(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    # The linter's own settings would silence the loggers that other tests listen to.
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    code = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_the_contracts_are_the_ones_that_the_house_needs():
    needed = {"Packages import downwards only", "The wall is a folder", "Pages are independent of each other"}
    needed |= {"Rooms behind the wall", *(f"Rooms of {package}" for package in PACKAGES)}
    needed |= {"Only the live map knows the map library", "Data never needs geometry"}
    needed |= {"Commands and the briefing do without Streamlit"}
    assert needed <= set(CONTRACTS)
    assert not any(contract.get("ignore_imports") for contract in CONTRACTS.values())
    wall = CONTRACTS["The wall is a folder"]["forbidden_modules"]
    assert {"data.restricted", "sqlcipher3", "keyring"} <= set(wall)


def test_the_wall_stands_before_every_room_that_needs_no_records():
    watched = set(CONTRACTS["The wall is a folder"]["source_modules"])
    needed = {"tact", "geo", "risk"} | rooms("dashboard") | rooms("data")
    assert needed - MAY_REACH <= watched


def test_only_the_map_is_left_out_of_the_rule_about_the_map_library():
    watched = set(CONTRACTS["Only the live map knows the map library"]["source_modules"])
    assert {"tact", "geo", "risk", "data"} | rooms("dashboard") - {"dashboard.map", "dashboard.desk"} <= watched


def test_the_wall_is_watched_by_more_than_names(graph):
    """Check the import contract against the import graph itself."""
    behind = graph.find_descendants("data.restricted") | {"data.restricted"}
    for module in nonempty(graph.modules):
        if not any(module == room or module.startswith(f"{room}.") for room in MAY_REACH):
            assert not graph.find_modules_directly_imported_by(module) & behind, module


def test_there_is_no_circle_of_imports(graph):
    """A module also needs the packages around the modules that it imports, except packages that it is in."""
    modules = sorted(graph.modules)
    number = {module: i for i, module in enumerate(modules)}
    edges = set()
    for module in modules:
        for imported in graph.find_modules_directly_imported_by(module):
            parts = imported.split(".")
            needed = {".".join(parts[:k]) for k in range(1, len(parts))}
            outer = {package for package in needed if not f"{module}.".startswith(f"{package}.")}
            edges |= {(number[module], number[name]) for name in {imported, *outer} if name in number}
    links = csr_array((np.ones(len(edges)), np.array(sorted(edges)).T), (len(modules), len(modules)))
    _, labels = connected_components(links, connection="strong")
    several = np.flatnonzero(np.bincount(labels) > 1)
    circles = [[name for name, label in zip(modules, labels, strict=True) if label == k] for k in several]
    assert circles == []


def test_the_tests_mirror_the_tree():
    """A test folder of a package has the name of an existing package folder; test folders are not packages."""
    tests = ROOT / "tests"
    assert not list(tests.rglob("__init__.py"))
    for package in PACKAGES:
        for folder in {path.parent for path in (tests / package).rglob("test_*.py")}:
            assert (ROOT / folder.relative_to(tests)).is_dir(), folder.relative_to(ROOT)


def list_names(code: str) -> set[tuple[str, int]]:
    """Return each name that code gives to a value, a parameter, an attribute, a function or a class, with its line."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add((name.strip("_"), node.lineno))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add((name.strip("_"), node.lineno))
    return names


@pytest.mark.parametrize("folder", [*PACKAGES, "scripts", "benchmarks", pytest.param("tests", marks=pytest.mark.slow)])
def test_a_name_says_what_a_value_is(folder):
    for path in nonempty((ROOT / folder).rglob("*.py")):
        empty = [line for name, line in list_names(path.read_text(encoding="utf-8")) if name in EMPTY_NAMES]
        assert empty == [], f"{path.relative_to(ROOT)}, lines {sorted(empty)}"


def test_an_empty_name_is_seen_wherever_a_name_can_be_given():
    code = "class Own: pass\nmade: int\nfor one in range(3): self.kept = (found := one)\ndef _said(of, *, at=0): pass"
    names = {name.lower() for name, _line in list_names(code)}
    assert names & EMPTY_NAMES == {"own", "made", "one", "kept", "found", "said", "of", "at"}


def list_private_names(code: str) -> set[str]:
    """Return the private names of LIBRARIES that code imports, reads, or calls in a class made from one of theirs."""
    tree = ast.parse(code)
    names, private = list_imports(tree)

    def is_theirs(node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in names

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and is_theirs(node.value):
            private.add(ast.unparse(node))
        elif isinstance(node, ast.ClassDef) and any(map(is_theirs, node.bases)):
            private |= {f"{node.name}.{name}" for name in list_inherited_names(node) if is_private(name)}
    return private


def list_imports(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Return the names under which a module has parts of LIBRARIES, and the private ones among what it imports."""
    names, private = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            start = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                whole = f"{start}{alias.name}"
                if whole.split(".")[0] in LIBRARIES:
                    names.add(alias.asname or (alias.name if start else alias.name.split(".")[0]))
                    private |= {whole} if "._" in whole else set()
    return names, private


def list_inherited_names(node: ast.ClassDef) -> set[str]:
    """Return the names that a class reads of itself but does not define, and those that it calls above itself."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    stored = {part.attr for part in parts if is_self(part) and isinstance(part.ctx, ast.Store)}
    methods = {line.name for line in node.body if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef)}
    read = {part.attr for part in parts if is_self(part) and isinstance(part.ctx, ast.Load)}
    above = {part.attr for part in parts if ast.unparse(part.value) == "super()"}
    return (read - stored - methods) | above


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def list_inner_modules(code: str) -> set[str]:
    """Return what code imports from modules of Streamlit, without what is for everybody."""
    inner = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "streamlit":
            inner |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            inner |= {alias.name for alias in node.names if alias.name.startswith("streamlit.")}
    public = ("streamlit.App", "streamlit.get_option", "streamlit.delta_generator.DeltaGenerator")
    return inner.difference(public)


def test_no_code_of_ours_uses_a_private_name_of_a_library():
    texts = {path: path.read_text(encoding="utf-8") for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    assert ROOT / SEAMS in texts
    used = {str(path.relative_to(ROOT)): names for path, text in texts.items() if (names := list_private_names(text))}
    assert used == {}
    inner = {
        module
        for path, text in texts.items()
        if path != ROOT / SEAMS
        for module in list_inner_modules(text)
        if not any(module == known or module.startswith(f"{known}.") for known in INNER)
    }
    assert inner == set()


def test_the_seams_are_two_and_short():
    text = (ROOT / SEAMS).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    theirs = {"net_util", "media_file_manager"}
    replaced = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) in theirs
    ]
    assert len(replaced) == 2


@pytest.mark.parametrize(
    "code",
    [
        "from typer._completion_shared import get_completion_script",
        "import streamlit._runtime",
        "from streamlit.runtime.state.session_state import _is_stale_widget",
        "from streamlit.runtime import Runtime\nRuntime._send_message = None",
        "import uvicorn as u\nu.Server(None)._serve()",
        "from xlsxwriter.worksheet import Worksheet\nclass Sheet(Worksheet):\n  def f(self): super()._write_rows()",
        "import asyncio\nclass T(asyncio.Transport):\n  def f(self): return self._loop",
    ],
)
def test_each_way_to_a_private_name_is_seen(code):
    assert list_private_names(code)


def test_no_test_passes_because_its_loop_has_nothing_to_check():
    tests = list(ROOT.joinpath("tests").rglob("test_*.py"))
    assert len(tests) > 100
    idle = {
        f"{path.relative_to(ROOT)}: {name}, for ... in {ast.unparse(things)}"
        for path in tests
        for name, things in list_idle_loops(path.read_text(encoding="utf-8"))
    }
    assert idle == set()


@pytest.mark.parametrize(
    ("things", "is_idle"),
    [
        ("read()", True),
        ("table.items()", True),
        ("range(count)", True),
        ("zip(a, b, strict=True)", True),
        ("[f(n) for n in numbers]", True),
        ("(1, 2)", False),
        ("CASES.items()", False),
        ("range(3)", False),
        ("zip((1, 2), read(), strict=True)", False),
        ("nonempty(read())", False),
    ],
)
def test_a_loop_that_may_be_empty_is_seen(things, is_idle):
    code = f"def test_it():\n  for thing in {things}:\n    if thing:\n      assert thing\n"
    assert bool(list(list_idle_loops(code))) is is_idle
    assert not list(list_idle_loops(f"{code}  assert True\n"))


def test_a_loop_with_nothing_to_check_fails():
    assert list(nonempty([1, 2])) == [1, 2]
    with pytest.raises(AssertionError, match="nothing to check"):
        list(nonempty([]))
