import os
import stat
import subprocess
import sys

import pytest

from data import workspace as module
from data.errors import WorkspaceError
from data.workspace import Workspace
from tests.helpers.paths import ROOT

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes")


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "w", "real")


@pytest.mark.parametrize("kind", ["real", "invented"])
def test_what_is_made_is_what_is_opened(tmp_path, kind):
    workspace = Workspace.create(tmp_path / "w", kind, start_month=9)
    opened = Workspace.open(tmp_path / "w")
    assert opened == workspace
    assert (opened.kind, opened.start_month, opened.invented) == (kind, 9, kind == "invented")


def test_every_folder_is_there_but_the_vault(workspace):
    assert all(
        p.is_dir()
        for p in (workspace.mappings, workspace.rejects, workspace.areas, workspace.releases, workspace.derived)
    )
    assert not workspace.vault.exists()
    assert workspace.check() == []


@posix
def test_nobody_else_can_enter_whatever_the_umask(tmp_path):
    old = os.umask(0)
    try:
        workspace = Workspace.create(tmp_path / "w", "real")
    finally:
        os.umask(old)
    for path in (workspace.path, workspace.releases, workspace.rejects):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@posix
def test_doctor_names_a_folder_that_others_can_enter(workspace):
    workspace.path.chmod(0o755)
    workspace.derived.rmdir()
    problems = workspace.check()
    assert len(problems) == 2
    assert any("chmod 700" in p for p in problems)
    assert any("derived" in p for p in problems)


def test_doctor_names_what_an_interrupted_command_left(workspace):
    (workspace.releases / ".r1.0a1b2c.part").mkdir()
    assert ["rm -r" in problem and "r1" in problem for problem in workspace.check()] == [True]


def test_an_empty_folder_can_be_used_and_a_full_one_not(tmp_path):
    (tmp_path / "empty").mkdir()
    Workspace.create(tmp_path / "empty", "real")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("x")
    with pytest.raises(WorkspaceError, match="holds other files"):
        Workspace.create(tmp_path / "full", "real")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.doc"]


def test_a_workspace_is_never_made_over_another(workspace):
    before = (workspace.path / "workspace.toml").read_bytes()
    with pytest.raises(WorkspaceError, match="already"):
        Workspace.create(workspace.path, "invented")
    assert (workspace.path / "workspace.toml").read_bytes() == before


def test_an_interrupted_making_can_be_repeated(tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module.files, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            Workspace.create(tmp_path / "w", "real")
    with pytest.raises(WorkspaceError, match="no workspace"):
        Workspace.open(tmp_path / "w")
    assert Workspace.create(tmp_path / "w", "real").check() == []


def test_no_workspace_names_the_command(tmp_path):
    with pytest.raises(WorkspaceError, match=r"tact --workspace .* init"):
        Workspace.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError):
        Workspace.open(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="is a file"):
        Workspace.create(tmp_path / "file", "real")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "real"', 'kind = "unreal"', "unreal"),
        ("format = 1", "format = 2", "format 1"),
        ("start_month = 6", "start_month = 13", "13"),
        ("start_month = 6", 'start_month = "June"', "June"),
        ("start_month = 6", "start_month = ", "workspace.toml"),
        ('id = "', 'id = "../../', "UUID"),
    ],
)
def test_a_changed_description_is_refused_by_name(workspace, old, new, named):
    path = workspace.path / "workspace.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(WorkspaceError, match=named):
        Workspace.open(workspace.path)


def test_a_wrong_kind_or_month_is_refused(tmp_path):
    with pytest.raises(WorkspaceError, match="real or invented"):
        Workspace.create(tmp_path / "w", "test")
    with pytest.raises(WorkspaceError, match="1 to 12"):
        Workspace.create(tmp_path / "w", "real", start_month=0)
    assert not (tmp_path / "w").exists()


def test_the_demo_stands_apart_under_the_users_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert module.default_path() != module.demo_path()
    if sys.platform == "linux":
        assert module.default_path() == tmp_path / "tact-map" / "workspace"
        assert module.demo_path() == tmp_path / "tact-map" / "demo"


def test_it_knows_nothing_of_the_vault():
    code = (
        "import sys, data.workspace; "
        "print([m for m in sys.modules if 'vault' in m or 'sqlcipher' in m or m == 'data.restricted.keys'])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
