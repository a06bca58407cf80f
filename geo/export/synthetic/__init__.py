"""Synthetic records that agree with a public release: one row for each child, in the columns of a partner's file.

They are for teaching, and for writing code before access is granted. Everything in them comes from the published tables
of one public release, so they disclose nothing that the release does not say. They are made from the public tier only:
records made from partner tables would be under the same agreement as these tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.release import Release
from geo.export import write_csv
from geo.export.synthetic.agreement import Agreement, compare_records
from geo.export.synthetic.margins import has_counts, read_published
from geo.export.synthetic.records import MARK, draw_records, list_drawn, list_without_table
from geo.layers.output import terms

__all__ = ["SEED", "has_counts", "write_synthetic"]

SEED = 1

_METHOD = (
    "Children by area and period, and then each breakdown within these totals, are fitted to the published tables by "
    "iterative proportional fitting (Deming and Stephan 1940; for synthetic populations Beckman, Baggerly and McKay "
    "1996). Whole children are drawn from the fitted counts (truncate, replicate, sample: Lovelace and Ballas 2013), "
    "and moved one by one as long as the tables agree better. Numbers are the adjusted ones, with which parts add up "
    "to totals. A hidden cell holds what the model puts there, within its published limits (from 0 to one below the "
    "threshold) where the tables leave room for that."
)
_USES = ("Teaching, and writing and trying code before access to records is granted.",)
_NOT_FOR = (
    "No inference: combinations of two breakdowns, and what stands in a hidden cell, come from the model alone.",
    "No publication: figures, tables and maps are made from the release, with its states and margins.",
    "No counts of children: every row is made up, and no row stands for a child.",
    "No import beside real records: an import refuses the file, except into a practice workspace.",
)


def write_synthetic(release: Release, folder: Path, seed: int) -> tuple[list[Path], dict[str, Any]]:
    """Write synthetic records of a public release and the report on them; return the three files and the report.

    The same release and seed give the same bytes. Raises InputError for a release of the partner tier or one without
    counts of children.
    """
    if release.tier != "public":
        raise InputError("Synthetic records are made from the public tier alone. Give a public release.")
    published = read_published(release)
    records = draw_records(release, published, seed)
    stem = f"{terms.name_files(release, invented=release.invented)}-{MARK}-encounters"
    paths = [folder / f"{stem}{ending}" for ending in (".csv", "-report.txt", "-report.json")]
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(paths[0], records)
    agreements = compare_records(records, published)
    report = {
        "records": paths[0].name,
        "sha256": hashlib.sha256(paths[0].read_bytes()).hexdigest(),
        "rows": len(records),
        "data": "Synthetic: every row is made up.",
        "release": release.name,
        "tier": release.tier,
        "release_sha256": release.checksum,
        "release_is_invented": release.invented,
        "seed": seed,
        "use": list(_USES),
        "do_not_use": list(_NOT_FOR),
        "method": _METHOD,
        "columns": _describe_columns(list_drawn(published), list_without_table(published)),
        "tables": [asdict(agreement) for agreement in agreements],
        "licence": terms.find_licence(release),
        "citation": terms.format_citation(release),
    }
    paths[1].write_text("\n".join(_format_report(report, agreements)) + "\n", encoding="utf-8", newline="\n")
    paths[2].write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
    return paths, report


def _describe_columns(columns: Sequence[str], without_table: Collection[str]) -> dict[str, str]:
    """Return a text on the origin of the values, by column; see `list_drawn` and `list_without_table`."""
    fitted = "fitted to its published tables"
    equal = "in no published table: each category has the same chance"
    return {
        "invented": f"“{MARK}” in every row, by which an import knows that the row is not real",
        "date": "its period is fitted; the day is any day of that period",
        "municipality": "its county or region is fitted; the municipality is drawn by the number of people in each",
        **{name: equal if name in without_table else fitted for name in columns},
        "all others": "made up (identifiers, partner), or empty",
    }


def _format_report(report: Mapping[str, Any], agreements: Sequence[Agreement]) -> Iterator[str]:
    """Yield the lines of the report. No number stands after an area code, because readers could take it for a count."""
    real = "The release is invented too." if report["release_is_invented"] else "The release is real."
    yield "SYNTHETIC RECORDS: every row is made up."
    yield f"{report['rows']} rows in {report['records']}, made from release {report['release']} (public tier). {real}"
    yield f"Seed {report['seed']}: the same release and seed give the same bytes. SHA-256 {report['sha256']}"
    for heading, name in (("What they are for", "use"), ("What they must not be used for", "do_not_use")):
        yield from ("", heading, *(f"- {line}" for line in report[name]))
    yield from ("", "How they were made", report["method"], "")
    yield from (f"- {name}: {origin}" for name, origin in report["columns"].items())
    yield from ("", "How well they agree with the published tables", *_format_agreements(agreements), "")
    yield (
        "Numbers and differences are children, in cells that show a number. Variation is the total variation distance "
        "of their shares, 0 (the same) to 1. Beyond: hidden cells filled beyond their published limits."
    )
    yield from ("", "Hidden cells, which the model has filled")
    for agreement in agreements:
        yield f"{agreement.table}: {len(agreement.hidden)} of {agreement.cells}"
        yield from (f"- {words}" for words in agreement.hidden)
    yield from ("", f"Licence: {report['licence']}", f"Made from: {report['citation']}")


def _format_agreements(agreements: Sequence[Agreement]) -> Iterator[str]:
    head = ("table", "published", "synthetic", "variation", "hidden cells", "beyond", "largest difference")
    rows = [
        (
            a.table,
            a.published,
            a.synthetic,
            f"{a.variation:.4f}",
            f"{len(a.hidden)} of {a.cells}",
            a.outside,
            f"{a.largest} ({a.where})" if a.where else a.largest,  # last, so that no number follows the area
        )
        for a in agreements
    ]
    texts = [tuple(map(str, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
