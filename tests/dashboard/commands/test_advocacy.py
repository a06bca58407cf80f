"""`tact advocacy`: a template is filled in, imported, listed and removed."""

import shutil


def test_the_register_is_written_listed_and_removed(tact, demo_world, tmp_path):
    demo = shutil.copytree(demo_world, tmp_path / "demo")
    file = tmp_path / "policies.csv"
    assert "register is empty" in tact("--workspace", demo, "advocacy", "list").out
    assert tact("--workspace", demo, "advocacy", "template", "--to", file).code == 0
    assert tact("--workspace", demo, "advocacy", "template", "--to", file).code != 0
    assert tact("--workspace", demo, "advocacy", "import", file).code == 0
    (entry,) = tact("--workspace", demo, "advocacy", "list", "--json").json
    assert entry["status"] in tact("--workspace", demo, "advocacy", "list").out
    assert tact("--workspace", demo, "advocacy", "remove", entry["what"], "--area", "GR").code != 0
    assert tact("--workspace", demo, "advocacy", "remove", entry["what"], "--area", entry["area"]).code == 0
    assert tact("--workspace", demo, "advocacy", "list", "--json").json == []
