"""The documentation names every command, option, policy setting, layer, page and environment variable."""

import re

import pytest
import typer

from dashboard import cli
from dashboard.commands import doctor, running
from dashboard.web.page_list import PAGES
from data import errors
from data.disclosure import policy_file
from geo.layers import LAYERS
from tests.helpers.paths import ROOT

DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
EVERYTHING = "\n".join([*DOCS.values(), (ROOT / "README.md").read_text(encoding="utf-8")])


def commands_of(command, path=("tact",)):
    """Yield the path of each command of a group, with the command itself."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, below in command.commands.items():
        if not below.hidden:
            yield from commands_of(below, (*path, name))


COMMANDS = {
    path: command
    for name in running.COMMANDS
    for path, command in commands_of(typer.main.get_command(running.build_app([name])))
}


def sections(text):
    """Return the text below each heading that names commands, by command."""
    texts = {}
    for part in re.split(r"^(?=##)", text, flags=re.MULTILINE):
        heading = part.partition("\n")[0]
        texts |= dict.fromkeys(re.findall(r"`(tact [a-z ]*[a-z])", heading), part)
    return texts


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_explains_its_options(command):
    assert command in sections(DOCS["commands.md"]), f"docs/commands.md has no heading with `{command}`"
    unexplained = [
        parameter.name
        for parameter in COMMANDS[command].params
        if isinstance(parameter, typer.core.TyperOption) and len((parameter.help or "").split()) < 3
    ]
    assert unexplained == []


def test_every_exit_code_is_documented():
    table = DOCS["commands.md"].partition("## Exit codes")[2].partition("##")[0]
    documented = set(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE)))
    of_errors = {error.exit_code for error in vars(errors).values() if hasattr(error, "exit_code")}
    assert documented == of_errors | {0, doctor.UNHEALTHY, cli.STOPPED}


def test_no_command_is_documented_that_does_not_exist():
    groups = {path.rpartition(" ")[0] for path in COMMANDS}
    assert set(sections(DOCS["commands.md"])) <= COMMANDS.keys() | groups


# Also settings that the default file only names in a comment, because they have no default.
SETTINGS = sorted(set(re.findall(r"^(?:# )?(\w+) =|^\[+(\w+)\]", policy_file.default_text(), re.MULTILINE)))


@pytest.mark.parametrize("setting", [name or section for name, section in SETTINGS])
def test_every_policy_setting_is_documented(setting):
    assert re.search(rf"`[^`\n]*\b{setting}\b", DOCS["policy.md"]) or f"[{setting}]" in DOCS["policy.md"]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_every_layer_is_documented(layer):
    assert f"`{layer.id}`" in EVERYTHING
    assert layer.title in EVERYTHING


@pytest.mark.parametrize("page", [page.title for page in PAGES])
def test_every_page_is_documented(page):
    assert f"\n| {page} |" in DOCS["manager.md"]


def test_every_environment_variable_is_documented():
    sources = (p for d in ("data", "dashboard", "risk", "geo", "tact") for p in (ROOT / d).rglob("*.py"))
    names = {name for p in sources for name in re.findall(r'"(TACT_[A-Z_]+)"', p.read_text("utf-8"))}
    assert names
    assert [name for name in sorted(names) if name not in EVERYTHING] == []


TEXTS = DOCS | {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")}
TOP = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
# `tact` is also the part of a manifest; what docs/python.md names of the package is checked in tests/tact/test_tact.py.
MODULE = re.compile(rf"(?:{TOP.replace('|tact', '')})(?:\.[a-z_]\w*)+")
# Files that are named without a folder may be those of a workspace, but not these.
SOURCE = re.compile(r"(?:[\w*.-]+/)*[\w*]+\.(?:py|md|js|css)")
FOLDER = re.compile(rf"(?:{TOP})/.*")


def exists(place):
    """Return whether a module, a path or the end of a path exists; NAME and CODE match any name."""
    if MODULE.fullmatch(place) and not SOURCE.fullmatch(place):
        path = place.replace(".", "/")
        return (ROOT / path).is_dir() or (ROOT / f"{path}.py").is_file()
    pattern = re.sub("NAME|CODE", "*", place.strip("/"))
    folders = ("",) if FOLDER.fullmatch(place) else ("", *(f"{top}/**/" for top in TOP.split("|")))
    return any(next(ROOT.glob(folder + pattern), None) for folder in folders)


def places_in(text):
    """Yield each file, folder and module in back-ticks of a text; x.{a,b} names two."""
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for word in re.sub(r",\s+", ",", " ".join(spans)).split():
        head, braced, rest = re.fullmatch(r"([^{]*)(?:\{([^}]*)\})?(.*)", word).groups()
        for part in (braced or "").split(","):
            place = f"{head}{part}{rest}"
            if any(kind.fullmatch(place) for kind in (MODULE, SOURCE, FOLDER)):
                yield place


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_and_module_that_a_text_names_exists(name):
    assert [place for place in places_in(TEXTS[name]) if not exists(place)] == []


def test_a_file_that_is_gone_is_found():
    text = "See `geo/gone.py`, `publishing/gone.py`, `data.gone`, `risk.{model,gone}` and `geo/layers/gone/`."
    assert [place for place in places_in(text) if not exists(place)] == [
        "geo/gone.py", "publishing/gone.py", "data.gone", "risk.gone", "geo/layers/gone/"
    ]  # fmt: skip
    assert len(list(places_in("\n".join(TEXTS.values())))) > 100


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 150
