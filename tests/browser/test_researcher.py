"""A researcher, end to end: opens Download, takes a layer away, takes a GeoPackage and CSV files, and opens them.

The files are checked as a researcher would read them: geometry, states, codebook, licence and citation.
"""

import io
import zipfile

import pandas as pd
import pyogrio
import pytest

from dashboard.pages.download import name_layer
from dashboard.site.text import speak
from data.tables.states import STATES
from tests.helpers.browser import settle, until
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=20)
WANTED, UNWANTED = ("encounters", "effort"), "population"
LICENCES = {"partner": "Under agreement", "public": "Creative Commons Attribution 4.0"}
FORMATS = {"gpkg": "GeoPackage", "csv": "CSV"}


class Researcher:
    """A researcher in front of a page, who counts the choices that should be a step back."""

    def __init__(self, page, language):
        self.page, self.language, self.choices = page, language, 0

    def take_away(self, layer):
        pills = self.page.locator("[data-testid=stPills] button, [data-testid=stButtonGroup] button")
        with speak(self.language):
            title = name_layer(layer)
        pills.get_by_text(title, exact=True).click()
        self.choices += 1
        until(self.page, lambda: layer not in self.page.url)
        assert "layers=encounters%2Ceffort" in self.page.url

    def download(self, kind):
        """Choose a format and take its file; return its name and content."""
        radio = self.page.get_by_role("radio", name=FORMATS[kind], exact=False).first
        if not radio.is_checked():
            self.page.locator("[data-testid=stRadio] label").filter(has_text=FORMATS[kind]).first.click()
            self.choices += 1
            until(self.page, lambda: f"format={kind}" in self.page.url)
        button = self.page.locator("[data-testid=stDownloadButton] button").first
        until(self.page, lambda: FORMATS[kind] in button.inner_text())
        with self.page.expect_download(timeout=120_000) as taken:
            button.click()
        return taken.value.suggested_filename, taken.value.path()

    def go_back(self, start):
        """Press Back as often as a choice was made; return the addresses before the last press."""
        seen = []
        for left in reversed(range(self.choices)):
            self.page.go_back()
            if left:
                settle(self.page)
                seen.append(self.page.url)
        until(self.page, lambda: self.page.url == start)
        return seen


@vary("language, tier", [("sq", "public"), ("en", "partner"), ("el", "partner")])
def test_a_researcher_takes_layers_away_and_opens_them(request, look, tmp_path, language, tier):
    address = f"{request.getfixturevalue(tier).url}/download?lang={language}&layers={','.join((*WANTED, UNWANTED))}"
    page = look(address, ready=False)
    page.locator("[data-testid=stDownloadButton]").first.wait_for(timeout=60_000)
    researcher = Researcher(page, language)
    settle(page)
    start = page.url
    researcher.take_away(UNWANTED)
    package = tmp_path / "layers.gpkg"
    name, taken = researcher.download("gpkg")
    assert name.endswith(f"-{tier}-invented.gpkg")
    package.write_bytes(taken.read_bytes())
    name, taken = researcher.download("csv")
    assert name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(taken.read_bytes())) as archive:
        files = {file.rpartition("-invented-")[2]: archive.read(file) for file in archive.namelist()}
    assert set(files) == {"encounters.csv", "effort.csv", "codebook.csv", "README.txt", "datapackage.json"}
    tables = {file: read_rows(content) for file, content in files.items() if file.endswith(".csv")}
    check_tables(tables, tier)
    check_package(package, tables)
    for words in (files["README.txt"].decode("utf-8-sig"), " ".join(read(package, "about")["value"].astype(str))):
        assert LICENCES[tier] in words
        assert "TACT Map, release" in words
        assert "Invented data" in words
    assert start not in researcher.go_back(start)
    assert page.watch.clean, vars(page.watch)


def read_rows(content):
    return pd.read_csv(io.BytesIO(content), dtype={"code": "str", "parent": "str"})


def read(package, layer):
    return pyogrio.read_dataframe(package, layer=layer)


def check_tables(tables, tier):
    """Check that each number has its state, each state and column its meaning, and no small count is public."""
    codebook = tables["codebook.csv"]
    for name in WANTED:
        rows = tables[f"{name}.csv"]
        assert len(rows) > 25
        assert set(rows["state"]) <= set(STATES)
        assert set(rows["tier"]) == {tier}
        assert rows.loc[rows["state"] == "number", "value"].notna().all()
        explained = codebook[codebook["table"].isin(["all tables", name])]
        assert set(rows.columns) <= set(explained["column"])
        assert set(rows["state"]) <= set(codebook.loc[codebook["column"] == "state", "value"].dropna())
    counts = tables["encounters.csv"]
    shown = counts.loc[counts["state"] == "number", "value"]
    assert len(shown)
    assert tier == "partner" or shown[shown > 0].min() >= 10


def check_package(package, tables):
    """Check that a GIS finds shapes with styles, the same numbers as in the CSV files, and the codebook."""
    layers = dict(pyogrio.list_layers(package))
    assert {f"{name}_region" for name in WANTED} <= {name for name, kind in layers.items() if kind}
    for name in WANTED:
        regions = read(package, f"{name}_region")
        assert regions.crs.to_epsg() == 4326
        assert regions.geometry.notna().sum() > 20
        long, rows = read(package, f"{name}_all"), tables[f"{name}.csv"]
        assert len(long) == len(rows)
        assert long["value"].sum() == pytest.approx(rows["value"].sum())
        assert long["state"].value_counts().to_dict() == rows["state"].value_counts().to_dict()
    assert set(read(package, "layer_styles")["f_table_name"]) >= {"encounters_region", "effort_region"}
    assert set(read(package, "codebook")["column"]) >= {"code", "value", "state", "margin"}
