"""May this table be published? Twenty leaks that must be caught, twenty harmless tables that must pass, bad input."""

import dataclasses
import io
import zipfile
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pytest

import tact
from dashboard.narrative.table_check import explain_check, list_limits, list_product_tables, say_reason, say_remedy
from dashboard.site.text import speak, translate
from data.disclosure import table_check
from data.disclosure.cell_key import CellKey
from data.disclosure.table_check import Comparison
from data.disclosure.table_check.cells import HIGH, LOW, Atlas, read_source
from data.disclosure.table_check.context import Column, Context
from data.disclosure.table_check.origins import Origin, find_beside, find_origin, find_within
from data.disclosure.table_check.reading import Sheet, read_numbers, read_sheets
from data.errors import InputError, ReleaseError
from data.release import Release, names
from geo.export import export_layers
from geo.export.report import write_report
from geo.export.standards import STANDARDS
from geo.places import index_areas
from tests.helpers import checked_release
from tests.helpers.checked_release import INSIDE, NEW, OLD, count
from tests.helpers.memory import list_remembered
from tests.helpers.small_release import PATHWAYS, QUARTERS, REGIONS, WHOLE, YEARS

SHOWN = [area for area in REGIONS if area != "AL-01"]  # what everybody can see by year
FEW = "fewer than 11, possibly none"
NAMES = dict(zip(REGIONS, ["Berat", "Durrës", "Fier", "Tirana", "GR-A", "Attica"], strict=True))


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return checked_release.make(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def check(releases):
    comparison = Comparison(releases, names(releases), index_areas())

    def run(table, name="table.csv", own_columns=(), tables=comparison):
        content = table if isinstance(table, bytes) else table.to_csv(index=False).encode()
        return tables.check(name, content, own_columns)

    return run


def frame(rows, *headings):
    return pd.DataFrame(rows, columns=headings)


def by_year(cell, areas=REGIONS):
    """Return a table with an area in each row and two columns for the years."""
    return frame([(NAMES.get(a, a), *(cell(a, y) for y in YEARS)) for a in areas], "County", "2006/07", "2007/08")


def shown(area, period, *categories):
    value = count(area, period, *categories)
    return value if value >= 11 else FEW


def by_county(cell, areas=REGIONS, words="{}"):
    """Return a table with a year in each row and a column for each area."""
    return frame([(y, *(cell(a, y) for a in areas)) for y in YEARS], "Year", *(words.format(NAMES[a]) for a in areas))


def interval(area, period, k=None):
    """Return the 95 % interval of a cell of partners, or with k of the public one."""
    channel, value = tact.Channel(5, k, CellKey().table()), count(area, period)
    return channel.interval(value if value >= (k or 0) else None)


def in_albanian(areas):
    shares = [(a, y, f"{count(a, y) / count(a[:2], y):.3f}".replace(".", ",")) for a in areas for y in YEARS]
    lines = ["Qarku;Viti;Fëmijë;Pjesa", *(f"{NAMES[a]};{y[:4]};{count(a, y)};{share}" for a, y, share in shares)]
    return "\n".join(lines).encode()


def old(area, quarter):
    """Return the provisional number of the older release."""
    return count(area, quarter) + 2 * (1 + len(area) % 2)


QUARTER = QUARTERS[5]
# What a researcher made, and the rule that names it.
LEAKS = {
    "a rest of a country, in the row of the county that is hidden": (
        lambda: by_year(
            lambda a, y: count(a, y) if a in SHOWN else count("AL", y) - sum(count(s, y) for s in SHOWN[:3])
        ),
        "hidden",
    ),
    "a row for all other counties, of which there is one": (
        lambda: frame([*((NAMES[a], count(a, YEARS[0])) for a in SHOWN[:3]), ("Other", 6)], "County", "2006/07"),
        "rest",
    ),
    "a number in a hidden cell, one off": (lambda: by_year(lambda a, y: count(a, y) + (a == "AL-01")), "filled"),
    "a partner's number in a hidden cell": (lambda: by_year(count), "hidden"),
    "hidden numbers written as 0": (lambda: by_year(lambda a, y: count(a, y) if a in SHOWN else 0), "zero"),
    "a range that rules values out": (lambda: by_year(lambda a, y: count(a, y) if a in SHOWN else "1-4"), "filled"),
    "a range whose end says the number": (
        lambda: by_year(lambda a, y: count(a, y) if a in SHOWN else f"<{11 + count(a, y)}"),
        "filled",
    ),
    "a number in place of the second year": (
        lambda: frame([(a, shown(a, YEARS[0]), f"2006/{count(a, YEARS[0]):02}") for a in REGIONS], "area", "2006", "x"),
        "unread",
    ),
    "a total in which a hidden category counts as 0": (
        lambda: frame(
            [(a, sum(count(a, WHOLE, p) for p in PATHWAYS if count(a, WHOLE, p) >= 11)) for a in REGIONS[1:]],
            "code",
            "sum",
        ),
        "zero",
    ),
    "municipalities": (
        lambda: frame([(a, y, count(a, y)) for a in INSIDE for y in YEARS], "code", "year", "children"),
        "partner_only",
    ),
    "a breakdown that only partners have": (
        lambda: frame(
            [(a, y, s, count(a, y, s)) for a in REGIONS for y in YEARS for s in ("female", "male")],
            "area",
            "year",
            "sex",
            "n",
        ),
        "partner_only",
    ),
    "shares of a small parent": (
        lambda: frame(
            [(a, y, round(100 * count(a, y, "internal") / count(a, y), 1)) for a in REGIONS for y in YEARS],
            "area",
            "year",
            "% internal",
        ),
        "small_base",
    ),
    "a change from a small number": (
        lambda: frame(
            [(a, round(count(a, YEARS[1]) / count(a, YEARS[0]) - 1, 3)) for a in REGIONS], "area", "growth 2007/08"
        ),
        "small_base",
    ),
    "days of outreach": (
        lambda: frame(
            [(a, y, 37 + 13 * REGIONS.index(a) + len(y)) for a in REGIONS for y in YEARS], "area", "period", "days"
        ),
        "partner_only",
    ),
    "places of services": (
        lambda: frame([(a, QUARTER, 13 + 10 * REGIONS.index(a)) for a in REGIONS], "area", "quarter", "places"),
        "partner_only",
    ),
    "flows": (
        lambda: frame(
            [(a, o, (count(a, WHOLE) + 3 * REGIONS.index(o)) // 4) for a in REGIONS for o in REGIONS],
            "area",
            "origin",
            "children",
        ),
        "partner_only",
    ),
    "the same quarter from two releases, side by side": (
        lambda: frame([(a, QUARTER, old(a, QUARTER), count(a, QUARTER)) for a in SHOWN], "area", "quarter", OLD, NEW),
        "joined",
    ),
    "the same quarter from two releases, below each other": (
        lambda: frame(
            [(a, QUARTER, name, n) for a in SHOWN for name, n in ((OLD, old(a, QUARTER)), (NEW, count(a, QUARTER)))],
            "area",
            "quarter",
            "release",
            "children",
        ),
        "joined",
    ),
    "the difference of two releases": (
        lambda: frame(
            [(a, q, old(a, q) - count(a, q)) for a in [*SHOWN, "AL", *INSIDE] for q in QUARTERS[4:]],
            "area",
            "quarter",
            "revision",
        ),
        "joined",
    ),
    "the mean of two releases": (
        lambda: frame(
            [(a, QUARTER, (old(a, QUARTER) + count(a, QUARTER)) / 2 + 0.0) for a in [*SHOWN, *INSIDE]],
            "area",
            "quarter",
            "best estimate",
        ),
        "joined",
    ),
    "own counts, by two breakdowns together": (
        lambda: frame(
            [
                ("Tirana", 2006, p, s, n)
                for p, s, n in (("internal", "female", 1), ("internal", "male", 2), ("al_to_gr", "male", 3))
            ],
            "county",
            "year",
            "pathway",
            "sex",
            "n",
        ),
        "crossed",
    ),
    "own counts of children": (
        lambda: frame([("Tirana", 2006, 93), ("Durrës", 2006, 44), ("Fier", 2006, 21)], "county", "year", "n"),
        "unknown",
    ),
    "a total that holds a hidden number": (
        lambda: frame(
            [*((NAMES[a], shown(a, YEARS[0])) for a in REGIONS[:4]), ("Total", 48 + 24 + 90 + 1)], "County", "2006/07"
        ),
        "unknown",
    ),
    "a number behind the words of a release": (
        lambda: by_year(lambda a, y: count(a, y) if a in SHOWN else f"<11 ({count(a, y)})"),
        "unread",
    ),
    "a number behind the name of an area": (
        lambda: frame([(f"{a} (6)" if a == "AL-01" else a, shown(a, YEARS[0])) for a in REGIONS], "area", "2006/07"),
        "unread",
    ),
    "a number behind a year": (
        lambda: frame([(a, f"{y[:4]} (6)", shown(a, y)) for a in REGIONS for y in YEARS], "area", "year", "n"),
        "unread",
    ),
    "a number in a heading": (
        lambda: frame([(a, shown(a, YEARS[0])) for a in REGIONS], "area", "2006/07 (Berat: 6)"),
        "unread",
    ),
    "numbers among words of a category": (
        lambda: frame([(a, shown(a, YEARS[0]), "unknown" if a in SHOWN else "6") for a in REGIONS], "a", "2006", "x"),
        "unread",
    ),
    "ranges of a hidden number that look like ages": (
        lambda: frame(
            [
                (a, count(a, YEARS[0]) if a in SHOWN else "", f"{n}-{n + 3}")
                for n, a in zip((6, 10, 14, 6, 10, 6), REGIONS, strict=True)
            ],
            "a",
            "2006/07",
            "x",
        ),
        "unknown",
    ),
    "ranges of shown numbers that are narrower than their noise": (
        lambda: by_year(lambda a, y: "<11" if a == "AL-01" else f"{count(a, y) - 1}-{count(a, y) + 2}"),
        "filled",
    ),
    "the interval of a partner's number in a hidden cell": (
        lambda: frame([(a, y, *interval(a, y)) for a in REGIONS for y in YEARS], "area", "year", "low 95", "high 95"),
        "hidden",
    ),
    "the interval of a partner's number in a hidden cell, in one cell": (
        lambda: by_year(lambda a, y: "{}-{}".format(*interval(a, y))),
        "filled",
    ),
    "a hidden number behind the word interval": (
        lambda: frame([(a, shown(a, YEARS[0])) for a in REGIONS], "area", "2006/07, interval of Berat 6"),
        "unread",
    ),
    "a lower limit in a hidden cell": (
        lambda: by_year(lambda a, y: count(a, y) if a in SHOWN else "at least 3"),
        "filled",
    ),
    "limits in hidden cells, of which some are classes of outreach by chance": (
        lambda: by_year(lambda a, y: f"{count(a, y)}-{count(a, y) + 1}" if a in SHOWN else "0-49"),
        "filled",
    ),
    "a hidden number below the name of its county": (lambda: by_county(count), "hidden"),
    "a hidden number below the name of its county, one off": (
        lambda: by_county(lambda a, y: count(a, y) + (a == "AL-01"), words="{} victims"),
        "filled",
    ),
    "hidden numbers below the name of their county as 0": (
        lambda: by_county(lambda a, y: count(a, y) if a in SHOWN else 0),
        "zero",
    ),
    "a sum of two counties, of which one is hidden, beside the other one": (
        lambda: by_county(shown).assign(x=[count("AL-01", y) + count("AL-11", y) for y in YEARS]),
        "unknown",
    ),
    "a column for all other counties, of which there is one": (
        lambda: by_county(count, SHOWN).assign(Other=[count("AL-01", y) for y in YEARS]),
        "unknown",
    ),
    "shares of a small parent, a column for each county": (
        lambda: by_county(lambda a, y: round(100 * count(a, y, "internal") / count(a, y), 1), words="{} internal %"),
        "small_base",
    ),
    "own numbers below names that are those of areas as well": (
        lambda: frame([(y, 3, 2) for y in YEARS], "year", "Arta Hoxha", "Besa Fieri"),
        "unknown",
    ),
    "the same quarter from two releases, columns for each county": (
        lambda: frame(
            [(QUARTER, *(n for a in SHOWN for n in (old(a, QUARTER), count(a, QUARTER))))],
            "quarter",
            *(f"{NAMES[a]} {name}" for a in SHOWN for name in (OLD, NEW)),
        ),
        "joined",
    ),
    "a name and a day of each child": (
        lambda: frame(
            [("Tirana", "Arben Hoxha", "2007-03-14", 1), ("Fier", "Elira Kola", "2007-04-02", 1)],
            "county",
            "person",
            "seen",
            "n",
        ),
        "personal",
    ),
}


@pytest.mark.always(
    "a rest of a country, in the row of the county that is hidden",
    "a row for all other counties, of which there is one",
    "a number in a hidden cell, one off",
    "a partner's number in a hidden cell",
    "hidden numbers written as 0",
    "a range that rules values out",
    "a range whose end says the number",
    "a number in place of the second year",
    "a total in which a hidden category counts as 0",
    "municipalities",
    "a breakdown that only partners have",
    "shares of a small parent",
    "a change from a small number",
    "the same quarter from two releases, side by side",
    "the difference of two releases",
    "the mean of two releases",
    "own counts, by two breakdowns together",
    "own counts of children",
    "a total that holds a hidden number",
    "a number behind the words of a release",
    "a number behind the name of an area",
    "a number behind a year",
    "a number in a heading",
    "numbers among words of a category",
    "ranges of a hidden number that look like ages",
    "ranges of shown numbers that are narrower than their noise",
    "the interval of a partner's number in a hidden cell",
    "a hidden number behind the word interval",
    "a lower limit in a hidden cell",
    "limits in hidden cells, of which some are classes of outreach by chance",
    "a hidden number below the name of its county",
    "a sum of two counties, of which one is hidden, beside the other one",
    "own numbers below names that are those of areas as well",
    "a name and a day of each child",
)
@pytest.mark.slow
@pytest.mark.parametrize("case", LEAKS)
def test_a_planted_leak_is_caught(check, case):
    make, rule = LEAKS[case]
    result = check(make())
    assert rule in {finding.rule for finding in result.findings}
    assert result.audience != "everyone"


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("the same quarter from two releases, side by side", {(OLD, "partner_only"), (NEW, "joined")}),
        ("a number behind the name of an area", {("area", "unread")}),
    ],
)
def test_one_fault_has_one_reason(check, case, reasons):
    findings = check(LEAKS[case][0]()).findings
    assert {(finding.column, finding.rule) for finding in findings} == reasons


@pytest.mark.always("{}*", "it was {} in the end")
@pytest.mark.slow
@pytest.mark.parametrize(
    "cell", ["{}*", "{} children", "n={}", "{} (3%)", "[{}]", "{}/100", "~{}", "{}²", "it was {} in the end", "x{}"]
)
def test_digits_that_are_no_number_are_not_passed_over(check, cell):
    table = by_year(shown).assign(note=[cell.format(count(a, YEARS[0])) for a in REGIONS])
    result = check(table)
    assert [(f.rule, f.column) for f in result.findings] == [("unread", "note")]
    assert result.audience == "nobody"
    assert "note" not in result.matched
    assert check(table, own_columns=["note"]).audience == "everyone"


@pytest.mark.slow
def test_small_numbers_that_agree_by_chance_with_something_of_the_other_columns_have_no_origin_there():
    draw = np.random.default_rng(1)
    others = [Column("shown", n, read_numbers([str(v) for v in draw.integers(11, 21, 3)])) for n in range(12)]
    small = [Column("cases", 12, read_numbers([str(v) for v in draw.integers(1, 4, 3)])) for _ in range(40)]
    assert not any(find_within(column, others) for column in small)
    computed = [f"{a:.3f}" for a in others[0].numbers.value / others[1].numbers.value]
    assert find_within(Column("ratio", 12, read_numbers(computed)), others)


def test_a_change_beside_both_numbers_is_computed_from_them_also_in_two_rows_if_it_is_no_small_one():
    years = [Column("year", n, read_numbers(texts)) for n, texts in enumerate((["159", "170"], ["284", "316"]))]
    assert find_within(Column("change", 2, read_numbers(["125", "146"])), years)
    years = [Column("year", n, read_numbers(texts)) for n, texts in enumerate((["159", "170"], ["162", "174"]))]
    assert find_within(Column("change", 2, read_numbers(["3", "4"])), years) is None


@pytest.mark.slow
def test_a_rank_is_one_among_numbers_that_are_shown(check):
    ranked = by_year(shown).assign(rank=["", 3, 5, 1, 4, 2])
    assert check(ranked).audience == "everyone"
    even = frame([(a, count(a, WHOLE)) for a in SHOWN], "area", "children").assign(rank=[3, 4, 1, 4, 2])
    even.loc[1, "children"] = even.loc[3, "children"]  # two areas with the same number
    assert "rank" in check(even).matched
    ranked.loc[0, "rank"] = 6
    assert check(ranked).audience == "nobody"


@pytest.mark.slow
def test_digits_of_other_scripts_are_numbers_too(check):
    for digits in ("٦", "６", "⑥"):
        assert check(by_year(lambda a, y, d=digits: count(a, y) if a in SHOWN else d)).audience == "nobody"


def test_columns_of_words_are_listed_as_not_checked(check):
    notes = ["as of 2008", f"see {NEW}", "of AL-04", "none", "x", ""]
    result = check(by_year(shown).assign(note=notes))
    assert (result.audience, result.texts) == ("everyone", ("note",))
    assert any("not checked: note." in line for line in list_limits(result))


# What a researcher may publish, made from public numbers in many ways; with the name of the file where it is no CSV.
HARMLESS = {
    "years side by side, hidden ones in words": lambda: by_year(shown),
    "years side by side, hidden ones empty": lambda: by_year(lambda a, y: "" if a == "AL-01" else count(a, y)),
    "a long table with codes": lambda: frame(
        [(a, y, shown(a, y)) for a in REGIONS for y in YEARS], "code", "period", "value"
    ),
    "counties sorted, with a rank": lambda: frame(
        [
            (NAMES[a], count(a, YEARS[0]), rank)
            for rank, a in enumerate(sorted(SHOWN, key=lambda a: -count(a, YEARS[0])), 1)
        ],
        "county",
        "children 2006/07",
        "rank",
    ),
    "a total below": lambda: frame(
        [*((NAMES[a], count(a, YEARS[0])) for a in SHOWN), ("Total", sum(count(a, YEARS[0]) for a in SHOWN))],
        "county",
        "2006/07",
    ),
    "both countries, and their sum": lambda: frame(
        [
            ("Albania", count("AL", YEARS[0])),
            ("Greece", count("GR", YEARS[0])),
            ("Both", count("AL", YEARS[0]) + count("GR", YEARS[0])),
        ],
        "country",
        "2006/07",
    ),
    "sums of two years": lambda: frame([(a, count(a, WHOLE)) for a in SHOWN], "area", "two years together"),
    "change between two years": lambda: frame(
        [(NAMES[a], count(a, YEARS[1]) - count(a, YEARS[0])) for a in SHOWN], "county", "change to 2007/08"
    ),
    "change in per cent": lambda: frame(
        [(a, f"{100 * (count(a, YEARS[1]) / count(a, YEARS[0]) - 1):.1f} %") for a in SHOWN], "area", "growth 2007/08"
    ),
    "shares of pathways in a country": lambda: frame(
        [
            (c, y, p, round(100 * count(c, y, p) / count(c, y), 1))
            for c in ("AL", "GR")
            for y in YEARS
            for p in PATHWAYS
            if count(c, y, p) >= 11
        ],
        "country",
        "year",
        "pathway",
        "%",
    ),
    "pathways side by side": lambda: frame(
        [(c, y, *(shown(c, y, p) for p in PATHWAYS)) for c in ("AL", "GR") for y in YEARS], "country", "year", *PATHWAYS
    ),
    "the part of a country that a county has": lambda: frame(
        [(a, round(count(a, YEARS[0]) / count(a[:2], YEARS[0]), 3)) for a in SHOWN], "area", "share 2006/07"
    ),
    "children for each 100,000 people of an own column": lambda: frame(
        [
            (a, 100_000 + 7_777 * n, count(a, YEARS[0]), round(count(a, YEARS[0]) / (100_000 + 7_777 * n) * 1e5, 2))
            for n, a in enumerate(SHOWN)
        ],
        "area",
        "people",
        "children 2006/07",
        "per 100,000",
    ),
    "rounded to tens": lambda: frame(
        [(a, round(count(a, y), -1), y) for a in SHOWN for y in YEARS], "area", "about", "year"
    ),
    "joined with classes of outreach": lambda: frame(
        [(a, y, shown(a, y), 0 if a == "AL-01" else 50, 49 if a == "AL-01" else 199) for a in REGIONS for y in YEARS],
        "area",
        "year",
        "children",
        "outreach from",
        "outreach to",
    ),
    "ranges that say no more than the release": lambda: by_year(
        lambda a, y: "<11" if a == "AL-01" else f"{count(a, y) - 5}-{count(a, y) + 9}"
    ),
    "classes of ten": lambda: by_year(
        lambda a, y: "<11" if a == "AL-01" else f"{count(a, y) // 10 * 10}-{count(a, y) // 10 * 10 + 9}"
    ),
    "Albanian headings, semicolons and decimal commas": lambda: in_albanian(SHOWN[:3]),
    "Greek headings and names, in UTF-16": lambda: "\n".join(
        ["Περιφέρεια,Έτος,Παιδιά", *(f"Αττική,{year[:4]},{count('GR-I', year)}" for year in YEARS)]
    ).encode("utf-16"),
    "95 % intervals beside the number": lambda: frame(
        [(a, y, count(a, y), *interval(a, y, 11)) for a in SHOWN for y in YEARS],
        "area",
        "year",
        "published",
        "low 95",
        "high 95",
    ),
    "95 % intervals, also of what is hidden": lambda: by_year(lambda a, y: "{}-{}".format(*interval(a, y, 11))),
    "margins with a sign": lambda: frame(
        [(a, y, count(a, y), "±5") for a in SHOWN for y in YEARS], "area", "year", "children", "margin"
    ),
    "months in Albanian and in Greek": lambda: frame(
        [
            (c, time, p, shown(c, y, p))
            for y, time in zip(YEARS, ("Qershor 2006 - Maj 2007", "Ιούν. 2007 – Μάιος 2008"), strict=True)
            for c in ("AL", "GR")
            for p in PATHWAYS
        ],
        "shteti",
        "koha",
        "pathway",
        "n",
    ),
    "a column for each county": lambda: by_county(shown),
    "a column for each county, with a word": lambda: by_county(shown, words="{} victims"),
    "a row for all of it, a column for each county and year": lambda: frame(
        [("children", *(shown(a, y) for a in REGIONS for y in YEARS))],
        "what",
        *(f"{NAMES[a]}, {y[:4]}/{int(y[2:4]) + 1:02}" for a in REGIONS for y in YEARS),
    ),
    "a column for each country and their sum, in Greek": lambda: frame(
        [(y[:4], count("AL", y), count("GR", y), count("AL", y) + count("GR", y)) for y in YEARS],
        "Έτος",
        "Αλβανία",
        "Ελλάδα",
        "Σύνολο",
    ),
    "a column for each country, a row for each pathway": lambda: frame(
        [(p, count("AL", YEARS[1], p), shown("GR", YEARS[1], p)) for p in PATHWAYS], "Rruga", "Shqipëria", "Greqia"
    ),
    "a workbook": lambda: ("table.xlsx", by_year(shown)),
    "one row": lambda: frame([("Durrës", count("AL-02", YEARS[0]))], "County", "2006/07"),
    "numbered rows, and a note": lambda: frame(
        [(n, NAMES[a], shown(a, YEARS[0]), f"release {NEW}, see {a}") for n, a in enumerate(REGIONS, 1)],
        "No.",
        "County",
        "2006/07",
        "note",
    ),
    "the ends of what is possible beside the number": lambda: frame(
        [(a, y, count(a, y), count(a, y) - 5, count(a, y) + 5) for a in SHOWN for y in YEARS],
        "area",
        "year",
        "children",
        "at least",
        "at most",
    ),
    "the words of the release where no period is named": lambda: frame(
        [(NAMES[a], count(a, YEARS[0]) if a in SHOWN else "", "number" if a in SHOWN else FEW) for a in REGIONS],
        "county",
        "children",
        "in words",
    ),
    "noise beside the number": lambda: frame(
        [(a, y, count(a, y), 5) for a in SHOWN for y in YEARS], "area", "year", "children", "margin"
    ),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_a_harmless_table_passes(check, case):
    table = HARMLESS[case]()
    own_columns = ["people"] if "own column" in case else []
    if isinstance(table, tuple):
        name, table = table
        book = io.BytesIO()
        table.to_excel(book, index=False, engine="xlsxwriter")
        result = check(book.getvalue(), name)
    else:
        result = check(table, own_columns=own_columns)
    assert [(f.rule, f.column, f.rows) for f in result.findings] == []
    assert result.audience == "everyone"
    assert result.matched


def book(*sheets):
    """Return a workbook of up to two sheets, each a list of rows."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in zip(("First", "Second"), sheets, strict=False):
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def change(content, old=b"", new=b"", **parts):
    """Return a workbook with other bytes in its first sheet, and with more parts."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            after.writestr(name, part.replace(old, new) if name.endswith("sheet1.xml") else part)
        for name, part in parts.items():
            after.writestr(name, part)
    return changed.getvalue()


TABLE = [["county", "2006/07"], ["AL-02", 48], ["AL-04", 24]]
BOOK = book(TABLE)
BAD = {
    "numbers above the headings": ("table.xlsx", book([["AL-01", 6], *TABLE]), "row 1 is no row of headings"),
    "a title above the headings": ("table.csv", b"Children\n\narea,n\nAL-02,48\n", "row 3, column 2"),
    "a cell beside the headings": ("table.xlsx", book([*TABLE, ["AL-11", 90, None, 6]]), "row 4, column 4"),
    "a cell below an empty heading": ("table.csv", b"area,,n\nAL-02,,48\nAL-01,6,\n", "row 3, column 2"),
    "a heading that is a number": ("table.csv", b"AL-01,6\nAL-02,48\n", "row 1 is no row of headings"),
    "a second table below": (
        "table.xlsx",
        book([*TABLE, [], ["county", "cases", "more"], ["AL-01", 6, 1]]),
        "row 5, col",
    ),
    "a sheet with one column": ("table.xlsx", book(TABLE, [["x"], [6]]), "Second is no table"),
    "a sheet with one row": ("table.xlsx", book(TABLE, [["Berat 6", "Durrës 7"]]), "Second is no table"),
    "a column that no sheet has": ("table.xlsx", change(BOOK, b'r="B2"', b'r="ZZZZZZZ2"'), "Excel workbook"),
    "a row that no sheet has": ("table.xlsx", change(BOOK, b'<row r="2"', b'<row r="999999999"'), "Excel workbook"),
    "a cell that names another row": ("table.xlsx", change(BOOK, b'r="A2"', b'r="A999999999"'), "Excel workbook"),
    "a cell far to the right": ("table.xlsx", change(BOOK, b'r="B2"', b'r="XFD2"'), "100 columns"),
    "a wide CSV file": ("table.csv", b",".join(b"a%d" % n for n in range(101)), "100 columns"),
    "an unknown kind of file": ("table.pdf", b"%PDF", "no CSV or XLSX"),
    "another encoding": ("table.csv", "Qarku;Fëmijë\nDurrës;48\n".encode("cp1252"), "UTF-8"),
    "no row of headings": ("table.csv", b"48,55\n24,31\n", "row of headings"),
    "headings alone": ("table.csv", b"area,children\n", "row of headings"),
    "one heading twice": ("table.csv", b"area,n,n\nAL-02,48,55\n", "heading of its own"),
    "a longer row": ("table.csv", b"area,n\nAL-02,48,55\n", "row 2"),
    "an open quotation mark": ("table.csv", b'area,n\n"AL-02,48\n', "quotation mark"),
    "no number": ("table.csv", b"area,words\nAL-02,many\n", "no column with numbers"),
    "a workbook that is none": ("table.xlsx", b"PK", "Excel"),
    "too many rows": ("table.csv", b"area,n\n" + b"AL-02,48\n" * 20_001, "more than 20,000 rows"),
    "too many rows of a workbook": (
        "table.xlsx",
        change(BOOK, b"</sheetData>", b"<row><c><v>1</v></c></row>" * 20_001 + b"</sheetData>"),
        "more than 20,000 rows",
    ),
    "an empty file": ("table.csv", b"", "no table"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_read_is_refused_with_a_remedy(check, case):
    name, content, words = BAD[case]
    with pytest.raises(InputError, match=words):
        check(content, name)


@pytest.mark.slow
def test_the_share_that_a_municipality_has_of_its_country_is_that_of_partners(check):
    rows = [(a, y, count(a, y), round(100 * count(a, y) / count(INSIDE[a][:2], y), 1)) for a in INSIDE for y in YEARS]
    result = check(frame(rows, "code", "year", "children", "share of the country"))
    assert (result.audience, len(result.matched)) == ("partners", 2)


def test_one_cell_from_two_releases_is_found_also_in_two_sheets(check):
    sheets = [[("area", "quarter", "n"), *((a, QUARTER, cell(a, QUARTER)) for a in SHOWN)] for cell in (old, count)]
    assert "joined" in {finding.rule for finding in check(book(*sheets), "table.xlsx").findings}


@pytest.mark.parametrize("text", ["at least 6", "6+", "≥ 6", "6 or more", "të paktën 6", "τουλάχιστον 6", "6 και άνω"])
def test_a_lower_limit_is_a_range_without_an_end(text):
    numbers = read_numbers([text])
    assert (numbers.low[0], numbers.high[0], bool(numbers.unread[0])) == (6, np.inf, False)


@pytest.mark.parametrize(
    "texts",
    [("41.8", "74.5", "100.0"), ("100", "78", "61"), ("76.7", "60.0", "46.7")],
    ids=["running share", "index", "mean of a year"],
)
def test_what_is_computed_from_one_column_is_found_in_the_table(texts):
    shown = Column("children", 0, read_numbers(["230", "180", "140"]))
    assert find_within(Column("x", 1, read_numbers(texts)), [shown])
    assert find_within(Column("x", 1, read_numbers([text[:-1] + "3" for text in texts])), [shown]) is None


def test_notes_of_maps_list_other_published_figures_and_nothing_else():
    figures = pd.DataFrame(
        {
            "area": ["AL-01", "AL-02"],
            "period": "2011-01-01/P1Y",
            "number": [60031.0, 1250.0],
            "source": ["Census of Albania 2011", "Census"],
            "year": [2011, 2021],
        }
    )
    release = SimpleNamespace(tier="public", name=NEW, manifest={"resources": [{"name": "figures"}]})
    areas = pd.DataFrame({"level": "region", "parent": "AL"}, index=["AL-01", "AL-02"])
    known = table_check._read_known([release], areas, lambda _release, _name: figures, index_areas())
    note = "provisional; other figures: {} (Census of Albania 2011), 1,250 (Census 2021)"
    assert not known.holds_number(note.format("60,031"))
    sources = pd.DataFrame(
        {"Qarku": ["Berat", "Durrës"], "Burimi": ["Arta Hoxha", "Arben Kola"], "Vlera": ["60031", "1250"]}
    )
    assert table_check.read_context(sources, known).personal == [("Burimi", "names")]
    named = dataclasses.replace(known, texts=("Arta Hoxha", "Arben Kola"))  # as if these were sources of figures
    assert table_check.read_context(sources, named).personal == []
    for other in ("6", "6,031", "60,031 (6), 60,031", "6 60,031", "60,031.6"):
        assert known.holds_number(note.format(other)), other


@pytest.mark.slow
def test_a_table_that_matches_nothing_does_not_pass(check):
    result = check(frame([("Paris", 1), ("London", 2)], "city", "n"))
    assert result.audience == "nobody"
    assert {finding.rule for finding in result.findings} == {"unknown"}
    assert not result.matched


def test_a_column_is_left_unchecked_only_if_somebody_names_it_and_it_is_in_no_release(check):
    rows = [(a, y, count(a, y), 3.5 * n) for n, a in enumerate(SHOWN, 1) for y in YEARS]
    table = frame(rows, "area", "year", "children", "unemployment")
    assert {f.column for f in check(table).findings} == {"unemployment"}
    passed = check(table, own_columns=["unemployment"])
    assert (passed.audience, passed.own_columns) == ("everyone", ("unemployment",))
    partner = frame([(a, y, count(a, y)) for a in INSIDE for y in YEARS], "area", "year", "mine")
    assert check(partner, own_columns=["mine"]).audience == "partners"
    with pytest.raises(InputError, match="no column 'other'"):
        check(table, own_columns=["other"])


def test_no_finding_says_a_number_that_is_hidden(check):
    result = check(by_year(lambda a, y: count(a, y) + 40 * (a == "AL-01")))
    words = [*map(say_reason, result.findings), *map(say_remedy, result.findings), *result.narrowed]
    assert words
    assert not any(str(number) in text.split() for text in words for number in (3, 6, 43, 46))


def test_the_attack_names_the_protected_cells_that_the_table_would_show(check):
    result = check(by_year(count))
    assert any("children_region_year (AL-01" in name for name in result.narrowed)
    assert "narrowed" in {finding.rule for finding in result.findings}
    # Exact numbers of the other counties tell that of the one that is hidden.
    make, _rule = LEAKS["own counts of children"]
    assert any(f"children_region_year (AL-01, {YEARS[0]}" in name for name in check(make()).narrowed)


def test_the_check_of_a_public_process_opens_no_partner_file(releases, check, monkeypatch):
    opened = []
    table = Release.table

    def watch(release, name):
        opened.append(release.tier)
        return table(release, name)

    monkeypatch.setattr(Release, "table", watch)
    public = Comparison(releases, names(releases), index_areas(), tier="public")
    result = check(by_year(count), tables=public)
    assert set(opened) == {"public"}
    assert result.audience == "nobody"
    # A guess of a partner's number gets the same answer as any other guess.
    guesses = [
        check(frame([(a, y, count(a, y) + n) for a in INSIDE for y in YEARS], "area", "year", "n"), tables=public)
        for n in (0, 1)
    ]
    assert guesses[0].findings == guesses[1].findings


def test_a_release_that_was_taken_back_is_no_source_and_is_attacked_all_the_same(releases, check, monkeypatch):
    attacked = []
    monkeypatch.setattr(table_check, "_attack", lambda opened, _areas, _learned: attacked.extend(opened) or [])
    shown_names = [name for name in names(releases) if name != NEW]
    result = check(by_year(shown), tables=Comparison(releases, shown_names, index_areas()))
    assert result.audience != "everyone"
    assert NEW not in result.releases
    assert NEW in [release.name for release in attacked]
    assert {release.tier for release in attacked} == {"public"}


@pytest.mark.slow
def test_no_word_of_a_table_is_remembered(releases):
    table = frame([("Xhevgjyzel", 48)], "area", "2006/07").to_csv(index=False).encode()
    Comparison(releases, names(releases), index_areas()).check("table.csv", table)
    assert not [text for text in list_remembered() if "xhevgjyzel" in text.casefold()]


def test_a_folder_without_a_release_is_refused(tmp_path):
    with pytest.raises(ReleaseError, match="No release"):
        Comparison(tmp_path, [], index_areas())


@pytest.mark.parametrize(
    "part",
    [
        "xl/pivotCache/pivotCacheRecords1.xml",
        "xl/comments1.xml",
        "xl/threadedComments/threadedComment1.xml",
        "xl/charts/chart1.xml",
        "xl/drawings/drawing1.xml",
        "xl/embeddings/Microsoft_Excel_Sheet1.xlsx",
        "xl/media/image1.png",
        "xl/queryTables/queryTable1.xml",
        "xl/externalLinks/externalLink1.xml",
        "xl/model/item.data",
        "customXml/item1.xml",
        "docProps/thumbnail.emf",
        "a part that nobody knows",
    ],
)
def test_a_workbook_with_more_than_the_values_of_its_cells_is_refused(part):
    assert read_sheets("table.xlsx", BOOK)[1] is False
    assert read_sheets("table.xlsx", change(BOOK, **{part: "<r/>"}))[1] is True


def test_a_formula_is_refused_because_its_stored_value_may_be_another(check):
    result = check(change(BOOK, b"<v>48</v>", b"<f>42+6</f><v>48</v>"), "table.xlsx")
    assert {finding.rule for finding in result.findings} == {"copies"}
    assert result.audience == "nobody"
    assert "CSV" in say_remedy(result.findings[0])


def test_hidden_sheets_and_hidden_rows_of_a_workbook_count_with_the_rows_of_the_file(check):
    workbook = openpyxl.Workbook()
    for row in TABLE:
        workbook.active.append(row)
    hidden = workbook.create_sheet("Put away")
    hidden.sheet_state = "veryHidden"
    hidden["B3"], hidden["C3"], hidden["B5"], hidden["C5"] = "county", "2006/07", "AL-01", 0
    hidden.row_dimensions[5].hidden = True
    content = io.BytesIO()
    workbook.save(content)
    result = check(content.getvalue(), "table.xlsx")
    assert ("zero", (5,)) in [(f.rule, f.rows) for f in result.findings]
    assert any(line.startswith("Put away: Column “2006/07”, row 5: is written as 0") for line in explain_check(result))


def test_rows_are_those_of_the_file_also_where_lines_are_empty(check):
    lines = [[], [], ["area", "2006/07"], ["AL-02", 48], [], ["AL-04", 24], ["AL-01", 0]]
    for name, content in (
        ("table.csv", "\n".join(",".join(map(str, line)) for line in lines).encode()),
        ("table.xlsx", book(lines)),
    ):
        assert [(f.rule, f.rows) for f in check(content, name).findings] == [("zero", (7,))]


@pytest.fixture(scope="module")
def exported(releases, tmp_path_factory):
    """Return the workbooks that the product gives of both tiers of the newest release."""
    folder = tmp_path_factory.mktemp("exported")
    tiers = {tier: Release.open(releases, tier, NEW) for tier in ("public", "partner")}
    return {tier: export_layers(release, folder, ["xlsx"])[0] for tier, release in tiers.items()}


@pytest.fixture(scope="module")
def knowing(releases):
    return Comparison(releases, names(releases), index_areas(), list_tables=list_product_tables)


def change_cell(book, sheet, old, new):
    """Return a workbook with another value in the first cell of a sheet that has the old one."""
    changed = next(cell for row in book[sheet].iter_rows(min_row=2) for cell in row if cell.value == old)
    changed.value, content = new, io.BytesIO()
    book.save(content)
    changed.value = old
    return content.getvalue()


@pytest.mark.slow
def test_a_file_of_the_product_passes_with_its_notes_to_whom_its_release_is(exported, knowing):
    result = knowing.check("table.xlsx", exported["public"].read_bytes())
    assert (result.audience, result.findings) == ("everyone", ())
    assert {"About", "Codebook", "Sources", "Children identified or met"} <= set(result.written)
    assert any(line.startswith("As the product wrote them: About") for line in list_limits(result))
    partner = knowing.check("table.xlsx", exported["partner"].read_bytes())
    assert (partner.audience, {f.rule for f in partner.findings}) == ("partners", {"partner_only"})


def test_a_file_of_the_product_with_some_layers_passes_with_its_notes(releases, knowing, tmp_path):
    (book,) = export_layers(Release.open(releases, "public", NEW), tmp_path, ["xlsx"], ["encounters", "population"])
    result = knowing.check(book.name, book.read_bytes())
    assert (result.audience, result.findings) == ("everyone", ())
    assert "About" in result.written


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_a_report_of_the_product_passes_in_each_language(releases, knowing, tmp_path, language):
    with speak(language):
        *_, book = write_report(Release.open(releases, "public", NEW), tmp_path, STANDARDS["eurostat"], translate)
    result = knowing.check(book.name, book.read_bytes())
    assert (result.audience, result.findings) == ("everyone", ())
    assert {"about", "codebook", "crosswalk"} <= set(result.written)


@pytest.mark.slow
def test_a_file_of_the_product_that_somebody_changed_is_judged_as_any_other(exported, knowing):
    book = openpyxl.load_workbook(exported["public"])
    for sheet in set(book.sheetnames) - {"Children identified or met", "About", "Sources"}:
        del book[sheet]
    few = change_cell(book, "Children identified or met", FEW, "7")
    result = knowing.check("table.xlsx", few)
    assert result.audience == "nobody"
    assert result.written == ("About", "Sources")
    del book["Children identified or met"]
    note = change_cell(book, "About", "2006-06-01", "Berat had 6")
    assert {f.sheet for f in knowing.check("table.xlsx", note).findings} == {"About"}
    # Also a row without a digit: a name may stand in it.
    named = change_cell(book, "About", "public", "Arta Hoxha, Berat")
    assert "About" not in knowing.check("table.xlsx", named).written


def test_a_sheet_with_the_name_of_one_of_the_product_is_judged(knowing, exported, monkeypatch):
    (about, *_), _ = read_sheets("table.xlsx", exported["public"].read_bytes())
    leak = Sheet(about.name, pd.DataFrame({"area": ["AL-01"], "period": [YEARS[0]], "children": ["7"]}, index=[2]))
    monkeypatch.setattr(table_check, "read_sheets", lambda *_: ([about, leak], False))
    result = knowing.check("table.xlsx", b"")
    assert result.written == (about.name,)
    assert result.audience == "nobody"


def test_rows_of_two_releases_are_no_file_of_the_product(releases, knowing):
    rows = [Release.open(releases, "partner", name).table("children_region_quarter") for name in (OLD, NEW)]
    newest, both = (table.drop(columns="state") for table in (rows[1], pd.concat(rows)))
    tables = Comparison(releases, names(releases), index_areas(), list_tables=lambda _r, _h: [newest])
    assert tables.check("table.csv", newest.to_csv(index=False).encode()).written == ("table.csv",)
    assert not tables.check("table.csv", both.to_csv(index=False).encode()).written


@pytest.mark.slow
def test_the_public_process_knows_no_file_of_partners(releases, exported):
    public = Comparison(releases, names(releases), index_areas(), tier="public", list_tables=list_product_tables)
    result = public.check("table.xlsx", exported["partner"].read_bytes())
    assert result.audience == "nobody"
    assert "Children identified or met" not in result.written


def test_ranges_of_the_risk_model_are_cells_of_their_area_and_period():
    table = pd.DataFrame(
        {"area": REGIONS, "period": YEARS[0], "state": "class", "value": np.nan, "low": 1.5, "high": np.nan}
    )
    table.loc[table.index > 2, ["low", "high"]] = 2 / 3, 1.5
    table["median"] = [1.5817, 1.7197, 2.8785, 0.6721, 0.9432, 1.1018]
    about = {
        "name": "risk_region_year",
        "tact": {"measure": "risk", "level": "region", "grain": "year", "breakdown": []},
    }
    release = SimpleNamespace(tier="public", name=NEW, manifest={"resources": [about]}, find_reach=lambda *_: 5, k=11)
    source = read_source(release, lambda _release, _name: table, frozenset(REGIONS), frozenset({"year"}))
    ends = [
        source.cells["risk"][area, YEARS[0], frozenset()].numbers[LOW : HIGH + 1] for area in (REGIONS[0], REGIONS[3])
    ]
    assert ends[0][0] == 1.5
    assert np.isnan(ends[0][1])
    assert ends[1] == (2 / 3, 1.5)
    # The upper ends alone are few and short: they are looked for in the cells of the column beside them first.
    keys = [(area, YEARS[0], frozenset()) for area in REGIONS]
    lower = Origin("released", source, np.zeros(6), np.ones(6, bool), "risk", keys)
    context = Context(None, 6, has_areas=True, areas=REGIONS, periods=[YEARS[0]] * 6, codes=[frozenset()] * 6)
    for last, is_match in (("1.5", True), ("1.4", False)):
        upper = Column("high", 1, read_numbers(["", "", "", "1.5", "1.5", last]))
        assert (find_beside(Atlas([source], {}, {}, {}), context, upper, [lower]) is not None) is is_match
    for first, is_match in (("1.58", True), ("1.61", False)):
        rounded = Column("risk", 1, read_numbers([first, "1.72", "2.88", "0.67", "0.94", "1.10"]))
        origin = find_origin(Atlas([source], {}, {}, {}), context, rounded, {})
        assert origin is not None
        assert bool(origin.matched.all()) is is_match
