"""An audit writes partner files only below the workspace, and what a killed one left goes when the next one starts."""

import stat
import tempfile

import pytest
from filelock import FileLock

from dashboard.web import reader_files
from data.errors import WorkspaceError
from data.workspace.files import private_folder


@pytest.mark.slow
def test_partner_files_of_an_audit_lie_in_the_workspace_alone_and_go_with_it(tact, tmp_path, monkeypatch):
    folder, seen, export_layers = tmp_path / "practice", [], reader_files.export.export_layers
    assert tact("--workspace", folder, "init", "--practice").code == 0
    assert tact("--workspace", folder, "release", "--figures-only").code == 0

    def stop(_release, target, *_rest):
        seen.append(target)
        raise KeyboardInterrupt

    monkeypatch.setattr(reader_files.export, "export_layers", stop)
    assert tact("--workspace", folder, "audit").code == 130
    assert seen[0].parent == folder / ".audit.part"
    assert not seen[0].parent.exists()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    # GDAL's files alone are written aside.
    monkeypatch.setattr(reader_files.export, "FORMATS", {"gpkg": reader_files.export.FORMATS["gpkg"]})
    monkeypatch.setattr(
        reader_files.export, "export_layers", lambda *values: export_layers(*values[:3], ["population"], values[4])
    )
    monkeypatch.setattr(reader_files, "write_atlases", lambda *_: [])
    assert tact("--workspace", folder, "audit", "--json").json["passed"]
    assert not list(folder.glob(".audit.part/*"))


def test_what_a_killed_process_left_goes_when_the_next_one_starts(tmp_path):
    left = tmp_path / ".audit.part"
    left.mkdir()
    (left / "children.csv").write_text("7")
    with private_folder(left) as folder:
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "children.csv").write_text("7")
    assert not left.exists()


def test_the_files_of_an_audit_that_runs_are_not_removed(tmp_path):
    left = tmp_path / ".audit.part"
    left.mkdir()
    (left / "children.csv").write_text("7")
    with (
        FileLock(tmp_path / ".audit.part.lock"),
        pytest.raises(WorkspaceError, match="Another process"),
        private_folder(left),
    ):
        pass
    assert (left / "children.csv").exists()
