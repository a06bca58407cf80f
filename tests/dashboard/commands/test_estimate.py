"""`tact estimate`: what the data officer sees, and that it writes nothing."""

import pytest

from data.capture import REASONS


def list_files(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and "vault" not in p.parts}


@pytest.mark.slow
def test_it_shows_each_country_to_the_data_officer_and_writes_nothing(tact, demo_world, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(demo_world.parent / "demo-config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    before = list_files(demo_world)
    answer = tact("--workspace", demo_world, "estimate", "--json").json
    assert list_files(demo_world) == before
    assert answer["invented"] is True
    assert set(answer["countries"]) == {"AL", "GR"}
    for country in answer["countries"].values():
        numbers = [country[name] for name in ("low", "estimate", "high")]
        if country["cannot_tell"]:
            assert country["cannot_tell"] in REASONS
            assert numbers == [None, None, None]
        else:
            assert numbers == sorted(numbers)
