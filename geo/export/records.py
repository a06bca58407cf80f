"""Records of a release for catalogues and reference lists: CITATION.cff, BibTeX, DCAT-AP and ISO 19115.

They repeat what the manifest says: title, tier, whether the numbers are invented, licence, citation, time and place.
They contain none of the release's numbers. Their only address of the release is that of its DOI, if it has one: a
release does not know where else it is published.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd

from data.release import Release
from data.tables.resource import DOI_ADDRESS
from geo.layers.output import terms
from geo.layers.reading import tables

_MAKER = "TACT Map"
_ACCESS = {"public": "PUBLIC", "partner": "RESTRICTED"}
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_COUNTRIES = {"AL": "ALB", "GR": "GRC"}
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_GMD, _GCO = "http://www.isotc211.org/2005/gmd", "http://www.isotc211.org/2005/gco"
_GML = "http://www.opengis.net/gml/3.2"
_CODES = "http://standards.iso.org/iso/19139/resources/gmxCodelists.xml"
_LATEX = re.compile(r"([&%$#_{}])")


def write_records(release: Release, folder: Path) -> list[Path]:
    """Write CITATION.cff, BibTeX, DCAT-AP and ISO 19115 of a release into a folder; return the paths of the files."""
    stem = terms.name_files(release, invented=release.invented)
    texts = {
        "CITATION.cff": format_citation_file(release),
        "citation.bib": format_bibtex(release),
        "dcat.jsonld": json.dumps(describe_dataset(release), ensure_ascii=False, indent=2) + "\n",
        "iso19115.xml": format_iso(release),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{stem}-{name}").write_text(text, encoding="utf-8", newline="\n")
    return [folder / f"{stem}-{name}" for name in texts]


def _describe(release: Release) -> dict[str, str]:
    """Return title, abstract, day, licence, method, citation, publisher and DOI of a release; empty if unknown."""
    about = terms.describe_file(release, ())
    parts = ("data", "caution", "tier_means", "published_figures", "sums")
    named = [entry for entry in release.manifest.get("contributors") or () if entry.get("role") == "publisher"]
    address = str(release.manifest.get("id") or "")
    return {
        "title": about["title"],
        "abstract": " ".join(about[name] for name in parts if name in about),
        "day": about.get("created", "")[:10],
        "licence": about["licence"],
        "method": about.get("method", ""),
        "citation": about["citation"],
        "publisher": "; ".join(str(entry["title"]) for entry in named),
        "doi": address.removeprefix(DOI_ADDRESS) if address.startswith(DOI_ADDRESS) else "",
    }


def _list_keywords(release: Release) -> list[str]:
    words = [str(word) for word in release.manifest.get("keywords") or ()]
    return [*words, "invented data"] if release.invented else words


def format_citation_file(release: Release) -> str:
    """Return the text of CITATION.cff (Citation File Format 1.2.0) of a release."""
    about = _describe(release)
    lines: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": f"If you use these data, cite them as: {about['citation']}",
        "type": "dataset",
        "title": about["title"],
        "abstract": about["abstract"],
        "authors": [{"name": _MAKER}],
        "version": release.name,
        "identifiers": [{"type": "other", "value": f"sha256:{release.checksum}", "description": "Its manifest"}],
    }
    named = [str(entry.get("name")) for entry in release.manifest.get("licenses") or ()]
    lines |= {"keywords": words} if (words := _list_keywords(release)) else {}
    lines |= {"date-released": about["day"]} if about["day"] else {}
    lines |= {"license": "CC-BY-4.0"} if named == ["CC-BY-4.0"] else {}
    lines |= {"doi": about["doi"]} if about["doi"] else {}
    if about["publisher"]:
        named_parts = {name: lines[name] for name in ("title", "authors", "version", "doi") if name in lines}
        lines["preferred-citation"] = {"type": "data", **named_parts, "publisher": {"name": about["publisher"]}}
    # A JSON value is a YAML value, too.
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())


def format_bibtex(release: Release) -> str:
    """Return the BibTeX entry of a release."""
    about = _describe(release)
    fields = {
        "author": _MAKER,
        "title": about["title"],
        "publisher": about["publisher"],
        "year": about["day"][:4],
        "version": release.name,
        "note": f"{terms.INVENTED} {about['licence']}" if release.invented else about["licence"],
    }
    escaped = {name: _LATEX.sub(r"\\\1", value) for name, value in fields.items()}
    lines = [f"  {name} = {{{{{value}}}}}" for name, value in escaped.items() if value]
    lines += [f"  doi = {{{about['doi']}}}"] if about["doi"] else []  # a DOI is an address: nothing is escaped
    return f"@misc{{tact-{release.name}-{release.tier},\n" + ",\n".join(lines) + "\n}\n"


def describe_dataset(release: Release) -> dict[str, Any]:
    """Return a release as a dataset of DCAT-AP, in JSON-LD."""
    about, tact = _describe(release), release.manifest["tact"]
    countries = [code for code in tables.list_areas(release, "country") if code in _COUNTRIES]
    described: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "dcat:Dataset",
        "@id": f"urn:sha256:{release.checksum}",
        "dct:title": {"@value": about["title"], "@language": "en"},
        "dct:description": {"@value": about["abstract"], "@language": "en"},
        "dct:identifier": f"sha256:{release.checksum}",
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": about["publisher"] or _MAKER},
        "dcat:version": release.name,
        "dcat:keyword": _list_keywords(release),
        "dcat:theme": {"@id": f"{_AUTHORITY}/data-theme/SOCI"},
        "dct:accessRights": {"@id": f"{_AUTHORITY}/access-right/{_ACCESS[release.tier]}"},
        "dct:rights": about["licence"],
        "dct:bibliographicCitation": about["citation"],
        "dct:spatial": [{"@id": f"{_AUTHORITY}/country/{_COUNTRIES[code]}"} for code in countries],
    }
    paths = [entry["path"] for entry in release.manifest.get("licenses") or () if entry.get("path")]
    if about["doi"]:
        address = f"{DOI_ADDRESS}{about['doi']}"
        described |= {"dct:identifier": [address, described["dct:identifier"]], "dcat:landingPage": {"@id": address}}
    described |= {"dct:license": {"@id": paths[0]}} if paths else {}
    described |= {"dct:issued": _date(about["day"])} if about["day"] else {}
    if tact.get("first") and tact.get("last"):
        span = {"dcat:startDate": _date(tact["first"]), "dcat:endDate": _date(tact["last"])}
        described["dct:temporal"] = {"@type": "dct:PeriodOfTime", **span}
    return described


def _date(day: str) -> dict[str, str]:
    return {"@value": day, "@type": "xsd:date"}


# A part of an ISO record: a text, or its elements in order; several elements may have the same name.
_Part = str | list[tuple[str, Any]]


def format_iso(release: Release) -> str:
    """Return a record of ISO 19115 for a release, in the XML of ISO 19139; its box encloses the areas (EPSG:4326)."""
    about, tact = _describe(release), release.manifest["tact"]
    agent: _Part = [
        (
            "CI_ResponsibleParty",
            [
                ("organisationName", about["publisher"] or _MAKER),
                ("role", [("CI_RoleCode", ("CI_RoleCode", "publisher"))]),
            ],
        )
    ]
    west, south, east, north = gpd.read_parquet(release.areas_file).total_bounds
    sides = (
        ("west", "Longitude", west),
        ("east", "Longitude", east),
        ("south", "Latitude", south),
        ("north", "Latitude", north),
    )
    corners = [(f"{side}Bound{axis}", [("gco:Decimal", f"{value:.6f}")]) for side, axis, value in sides]
    extent: list[tuple[str, Any]] = [("geographicElement", [("EX_GeographicBoundingBox", corners)])]
    if tact.get("first") and tact.get("last"):
        span = [("gml:beginPosition", [("", tact["first"])]), ("gml:endPosition", [("", tact["last"])])]
        extent.append(("temporalElement", [("EX_TemporalExtent", [("extent", [("gml:TimePeriod", span)])])]))
    day = [("gco:Date", about["day"])]
    published = [("date", day), ("dateType", [("CI_DateTypeCode", ("CI_DateTypeCode", "publication"))])]
    doi = [("identifier", [("MD_Identifier", [("code", f"{DOI_ADDRESS}{about['doi']}")])])] if about["doi"] else []
    identification = [
        ("citation", [("CI_Citation", [("title", about["title"]), ("date", [("CI_Date", published)]), *doi])]),
        ("abstract", about["abstract"]),
        ("pointOfContact", agent),
        ("descriptiveKeywords", [("MD_Keywords", [("keyword", word) for word in _list_keywords(release)])]),
        ("resourceConstraints", [("MD_Constraints", [("useLimitation", about["licence"])])]),
        (
            "spatialRepresentationType",
            [("MD_SpatialRepresentationTypeCode", ("MD_SpatialRepresentationTypeCode", "vector"))],
        ),
        ("language", [("LanguageCode", ("LanguageCode", "eng"))]),
        ("topicCategory", [("MD_TopicCategoryCode", [("", "society")])]),
        ("extent", [("EX_Extent", extent)]),
    ]
    scope = [("DQ_Scope", [("level", [("MD_ScopeCode", ("MD_ScopeCode", "dataset"))])])]
    system = [("MD_ReferenceSystem", [("referenceSystemIdentifier", [("RS_Identifier", [("code", "EPSG:4326")])])])]
    record = [
        ("fileIdentifier", f"sha256-{release.checksum}"),
        ("language", [("LanguageCode", ("LanguageCode", "eng"))]),
        ("hierarchyLevel", [("MD_ScopeCode", ("MD_ScopeCode", "dataset"))]),
        ("contact", agent),
        ("dateStamp", day),
        ("metadataStandardName", "ISO 19115"),
        ("referenceSystemInfo", system),
        ("identificationInfo", [("MD_DataIdentification", identification)]),
        (
            "dataQualityInfo",
            [("DQ_DataQuality", [("scope", scope), ("lineage", [("LI_Lineage", [("statement", about["method"])])])])],
        ),
    ]
    for prefix, address in (("gmd", _GMD), ("gco", _GCO), ("gml", _GML)):
        ET.register_namespace(prefix, address)
    root = ET.Element(f"{{{_GMD}}}MD_Metadata")
    _add(root, record)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add(parent: ET.Element, parts: list[tuple[str, Any]]) -> None:
    """Add pairs (name, content) to an element as child elements; without a name, the content is the element's text.

    A list becomes child elements, a tuple a code of a code list, and a text a CharacterString (plain text in `gco:`).
    """
    for name, inside in parts:
        if not name:
            parent.text = inside
            continue
        prefix, _, local = name.rpartition(":")
        space = {"": _GMD, "gco": _GCO, "gml": _GML}[prefix]
        element = ET.SubElement(parent, f"{{{space}}}{local}")
        if local == "TimePeriod":
            element.set(f"{{{_GML}}}id", "time")
        if isinstance(inside, tuple):
            codes, code = inside
            element.attrib.update({"codeList": f"{_CODES}#{codes}", "codeListValue": code})
            element.text = code
        elif isinstance(inside, list):
            _add(element, inside)
        elif prefix == "gco":
            element.text = inside
        else:
            ET.SubElement(element, f"{{{_GCO}}}CharacterString").text = inside
