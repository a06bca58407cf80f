"""TOML with brackets inside brackets without end: a message that names the file, wherever people write TOML."""

import tomllib

import pytest

from data.disclosure import policy_file
from data.errors import InputError, WorkspaceError
from data.restricted import governance
from data.restricted.intake import mapping
from data.workspace import Workspace
from data.workspace.toml_text import parse_toml

DEEP = "a = " + "[" * 100_000


def test_a_text_is_read_and_too_many_brackets_are_an_error():
    assert parse_toml("a = [[1]]") == {"a": [[1]]}
    for deep in (DEEP, "a = " + "{a = " * 100_000):
        with pytest.raises(tomllib.TOMLDecodeError, match="brackets"):
            parse_toml(deep)


def test_each_file_that_people_write_is_named(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "real")
    (workspace.path / governance.FILE).write_text(DEEP)
    assert "governance.toml cannot be read" in governance.read(workspace).missing[0]
    rules = tmp_path / "arsis.toml"
    rules.write_text(DEEP)
    with pytest.raises(InputError, match=r"arsis\.toml is not a valid TOML file"):
        mapping.read(rules, "encounter")
    with pytest.raises(InputError, match=r"policy\.toml cannot be read"):
        policy_file.parse(DEEP)
    (workspace.path / "workspace.toml").write_text(DEEP)
    with pytest.raises(WorkspaceError, match=r"workspace\.toml was changed"):
        Workspace.open(workspace.path)
