"""The examples of docs/examples run on the demo world and give what the documentation says."""

import json
import re
import shutil
import subprocess

import pandas as pd
import pytest

import tact
from data.release import Release
from geo.export import export_layers
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "docs" / "examples"


def load_example():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("read_release", EXAMPLES / "read_release.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def example(demo_world, tmp_path_factory):
    """Return the folder of the figures and the rates of the example in Python."""
    folder = tmp_path_factory.mktemp("figures")
    return folder, load_example().main(str(demo_world), str(folder))


def test_the_example_in_python_runs_and_draws(example):
    folder, rates = example
    for name in ("map.svg", "margins.svg"):
        assert (folder / name).read_text(encoding="utf-8").startswith("<svg")
    assert "NaN" not in (folder / "map.svg").read_text(encoding="utf-8")
    assert "Invented data" in (folder / "margins.svg").read_text(encoding="utf-8")
    assert ((rates["low"] < rates["rate"]) & (rates["rate"] < rates["high"])).all()


def test_the_documentation_gives_its_numbers(example):
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for code, name in (("AL", "Albania"), ("GR", "Greece")):
        row = re.search(rf"^\| {name} \| (\S+) \| (\S+) to (\S+) \| (\S+) \|$", text, re.MULTILINE)
        assert [float(number) for number in row.groups()] == pytest.approx(
            example[1].loc[code, ["rate", "low", "high", "naive"]].tolist(), abs=0.02
        )


def test_its_fit_finds_the_rates_that_made_the_numbers(demo_world):
    """Counts that are drawn with known rates and published through the noise give these rates again."""
    import numpy as np

    module, release = load_example(), tact.open_release(demo_world)
    channel, rng = release.channel(), np.random.default_rng(5)
    true = rng.negative_binomial(4, 4 / (4 + np.repeat([6.0, 30.0], 300)))
    noise = rng.random(len(true))
    rows = channel.table[np.minimum(true, len(channel.table) - 1)]
    noisy = true + (noise[:, None] > rows.cumsum(axis=1)).sum(axis=1) - channel.largest
    hidden = noisy < channel.k
    counts = pd.DataFrame({"country": np.repeat(["AL", "GR"], 300), "people": 100_000.0})
    counts["state"] = np.where(hidden, "few", "number")
    counts["noisy"] = np.where(hidden, np.nan, noisy)
    rates = module.fit_rates(release, counts)
    assert rates["rate"].tolist() == pytest.approx([6.0, 30.0], rel=0.12)
    assert (rates["low"] < [6.0, 30.0]).all()
    assert (rates["high"] > [6.0, 30.0]).all()
    assert rates.loc["AL", "naive"] < 0.6 * 6.0  # most numbers of Albania are hidden


@pytest.fixture(scope="module")
def files(demo_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    layers = ["encounters", "population"]
    export_layers(Release.open(demo_world / "releases", "public"), folder, ["csv", "gpkg"], layers)
    return folder


def test_the_example_in_r_reads_files_and_columns_that_there_are(files):
    """Rscript may not be here, so at least what the script names is looked up."""
    import pyogrio

    script = (EXAMPLES / "read_release.R").read_text(encoding="utf-8")
    assert script.count("(") == script.count(")")
    assert script.count("{") == script.count("}")
    columns = set()
    for layer in re.findall(r'read_layer\("(\w+)"\)', script):
        [path] = files.glob(f"*-public*{layer}.csv")
        columns |= set(pd.read_csv(path, encoding="utf-8-sig", nrows=1).columns)
    used = set(re.findall(r"(?:counts|population)\$(\w+)", script)) - {"people", "published"}
    assert len(used) > 6
    assert used <= columns
    [geopackage] = files.glob("*.gpkg")
    [layer] = re.findall(r'layer = "(\w+)"', script)
    assert "noisy" in pyogrio.read_info(geopackage, layer=layer)["fields"]


def run_r(*words):
    return subprocess.run(["Rscript", *map(str, words)], check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.long
def test_the_example_in_r_gives_the_rates_of_python(files, demo_world, example, tmp_path):
    if shutil.which("Rscript") is None or run_r("-e", "loadNamespace('sf'); loadNamespace('jsonlite')").returncode:
        pytest.skip("no R with sf and jsonlite here")
    release = demo_world / "releases" / tact.open_release(demo_world).name / "public"
    done = run_r(EXAMPLES / "read_release.R", files, release, tmp_path)
    assert done.returncode == 0, done.stderr
    rates = [float(row.split()[2]) for row in done.stdout.splitlines() if re.search(r"\b(AL|GR)\b", row)]
    assert rates == pytest.approx(example[1]["rate"].tolist(), rel=0.01)
    for name in ("map.png", "margins.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_notebook_runs_from_top_to_bottom_and_agrees_with_the_example(demo_world, example, monkeypatch):
    """Its cells run in order in one namespace, in the folder of a workspace, as a reader would run them."""
    notebook = json.loads((EXAMPLES / "read_release.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), "clear the outputs before you commit"
    monkeypatch.chdir(demo_world)
    names = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["fitted"]["rate"].tolist() == pytest.approx(example[1]["rate"].tolist(), rel=0.1)
    for chart in ("map_of_children", "intervals"):
        assert names[chart].to_dict()["layer"]
