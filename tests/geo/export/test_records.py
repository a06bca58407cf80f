"""Records of a release for catalogues: each can be read by its own kind of program, and says what the manifest says."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
import yaml

from data.disclosure.attacks import surface
from data.tables.spec import TIERS
from geo.export.records import write_records
from tests.helpers import small_release

ISO = {"gmd": "http://www.isotc211.org/2005/gmd", "gco": "http://www.isotc211.org/2005/gco"}


@pytest.fixture(scope="module", params=TIERS)
def written(request, tmp_path_factory):
    release = small_release.make(tmp_path_factory.mktemp("releases"), request.param)
    paths = write_records(release, tmp_path_factory.mktemp("records"))
    return release, paths, [path.read_text(encoding="utf-8") for path in paths]


def test_they_are_marked_and_give_nothing_away(written):
    release, paths, texts = written
    assert all(f"-{release.tier}-invented-" in path.name for path in paths)
    assert all("invented" in text.lower() for text in texts)
    assert surface.search(release, paths)[0] == []


def test_publisher_and_doi_stand_in_each_record(tmp_path, monkeypatch):
    release = small_release.make(tmp_path / "releases", "public")
    monkeypatch.setitem(release.manifest, "contributors", [{"title": "ARSIS & Co", "role": "publisher"}])
    monkeypatch.setitem(release.manifest, "id", "https://doi.org/10.5281/zenodo.12_34")
    cff, bibtex, dcat, iso = (path.read_text(encoding="utf-8") for path in write_records(release, tmp_path))
    cited = yaml.safe_load(cff)
    assert cited["doi"] == cited["preferred-citation"]["doi"] == "10.5281/zenodo.12_34"
    assert cited["preferred-citation"]["publisher"] == {"name": "ARSIS & Co"}
    assert {"type", "title", "authors"} <= set(cited["preferred-citation"])
    assert r"publisher = {{ARSIS \& Co}}" in bibtex
    assert "doi = {10.5281/zenodo.12_34}" in bibtex
    described = json.loads(dcat)
    assert described["dct:publisher"]["foaf:name"] == "ARSIS & Co"
    assert described["dct:identifier"] == ["https://doi.org/10.5281/zenodo.12_34", f"sha256:{release.checksum}"]
    root = ET.fromstring(iso)
    assert root.find(".//gmd:organisationName/gco:CharacterString", ISO).text == "ARSIS & Co"
    code = root.find(".//gmd:CI_Citation/gmd:identifier/gmd:MD_Identifier/gmd:code/gco:CharacterString", ISO)
    assert code.text == "https://doi.org/10.5281/zenodo.12_34"


def test_without_publisher_and_doi_they_are_left_out(written):
    _, _, (cff, bibtex, dcat, iso) = written
    assert not {"doi", "preferred-citation"} & set(yaml.safe_load(cff))
    assert "publisher" not in bibtex
    assert "doi" not in "".join((bibtex, dcat, iso)).lower()


def test_the_citation_file_is_yaml_with_what_the_format_requires(written):
    release, _, (text, *_others) = written
    read = yaml.safe_load(text)
    assert read["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(read)
    assert (read["type"], read["version"]) == ("dataset", release.name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", read["date-released"])


def test_the_entry_of_bibtex_has_its_braces_in_pairs_and_no_bare_sign(written):
    release, _, (_, text, *_others) = written
    assert text.startswith(f"@misc{{tact-{release.name}-{release.tier},")
    assert text.count("{") == text.count("}")
    assert not re.search(r"(?<!\\)[&%$#_]", text.partition("\n")[2])


def test_the_dataset_says_who_may_have_it_and_of_when_it_is(written):
    release, _, (*_others, text, _) = written
    read = json.loads(text)
    assert read["@type"] == "dcat:Dataset"
    access = {"public": "PUBLIC", "partner": "RESTRICTED"}[release.tier]
    assert read["dct:accessRights"]["@id"].endswith(f"access-right/{access}")
    assert read["dct:temporal"]["dcat:startDate"]["@value"] == small_release.FIRST
    assert [place["@id"][-3:] for place in read["dct:spatial"]] == ["ALB", "GRC"]


def test_the_record_of_iso_has_title_licence_place_and_time(written):
    release, _, (*_others, text) = written
    root = ET.fromstring(text)
    assert root.tag == f"{{{ISO['gmd']}}}MD_Metadata"
    title = root.find(".//gmd:CI_Citation/gmd:title/gco:CharacterString", ISO)
    assert title.text == release.manifest["title"]
    box = root.find(".//gmd:EX_GeographicBoundingBox", ISO)
    west, east, south, north = (float(side[0].text) for side in box)
    assert west < east
    assert south < north
    assert small_release.LAST in text
    assert root.find(".//gmd:useLimitation/gco:CharacterString", ISO).text
