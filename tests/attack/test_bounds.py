from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.disclosure.attacks import reading, sequence
from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.attacks.bounds.system import System, Ties
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.channel import UNKNOWN, Knowledge
from data.disclosure.policy import Policy
from data.errors import ReleaseRefused
from data.release import Release, names
from data.tables.periods import Period
from data.tables.spec import CATEGORIES, COUNTED, DEFAULT_PLAN, TableSpec
from tests.helpers import small_worlds
from tests.helpers.repetitions import vary

# Primary suppression of exact numbers: a hidden cell is 1 to 10 where zeros show, 0 to 10 where they do not.
ZEROS_SHOWN = Knowledge(0, 1, 10, 1, 10, 1)
ZEROS_MERGED = Knowledge(0, 0, 10, 0, 10, 1)
WHOLE = "2006-06-01/2007-05-31"
YEAR = "2006-06-01/P1Y"


def areas(**parents):
    """Return a table of areas from area=parent; an area without a parent is a country."""
    frame = pd.DataFrame({"parent": pd.Series(parents)})
    depth = {a: 0 if not p else 1 + bool(parents.get(p)) for a, p in parents.items()}
    frame["level"] = [("country", "region", "municipality")[depth[a]] for a in frame.index]
    return frame


def rows(cells, column="area", **rest):
    """Return a table with one row for each cell=number or cell=state, such as "few"."""
    entries = [
        {
            column: name,
            **rest,
            **({"value": None, "state": v} if isinstance(v, str) else {"value": v, "state": "number"}),
        }
        for name, v in cells.items()
    ]
    return pa.Table.from_pylist(
        entries, schema=pa.schema([(n, pa.int64() if n == "value" else pa.string()) for n in entries[0]])
    )


def published(tables, known, *, name="r", k=11, frozen=True):
    return Published(name, tables, dict.fromkeys(COUNTED, known), k, frozen)


def attack(releases, tree):
    """Return the findings of the bounds attack on the last of the releases, and the bounds."""
    plan = BoundsAttack.from_releases(releases, tree)
    bounds = plan.system.solve()
    return plan.report(plan.judge(bounds)), bounds


def bounds_of(release, tree, spec, **cell):
    """Return the interval of one cell after the attack."""
    plan = BoundsAttack.from_releases([release] if isinstance(release, Published) else release, tree)
    bounds = plan.system.solve()
    for table in plan.lattice.tables.values():
        s = table.shape
        if (s.measure, s.level, s.grain, s.breakdown) == (spec.measure, spec.level, spec.grain, spec.breakdown):
            for offset in range(table.state.size):
                if cell.items() <= table.name(offset).items():
                    return int(bounds.low[table.base + offset]), int(bounds.high[table.base + offset])
    raise AssertionError(cell)


TREE = areas(AL="", **{"AL-1": "AL", "AL-2": "AL", "AL-3": "AL", "AL-4": "AL"})
REGIONS, COUNTRY = TableSpec("children", "region", "year"), TableSpec("children", "country", "year")


def test_a_single_suppressed_cell_beside_its_total_is_bounded_to_a_point():
    release = published(
        {
            COUNTRY: rows({"AL": 60}, period=YEAR),
            REGIONS: rows({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, period=YEAR),
        },
        ZEROS_SHOWN,
    )
    assert bounds_of(release, TREE, REGIONS, area="AL-2") == (3, 3)
    findings, _ = attack([release], TREE)
    assert [dict(f.cell)["area"] for f in findings] == ["AL-2"]
    assert "3" not in findings[0].reason


def test_a_complementary_pattern_that_leaves_1_to_23_passes():
    """Two hidden cells have the sum 24. One of them may be large, so each may be 1 to 23."""
    release = published(
        {
            COUNTRY: rows({"AL": 61}, period=YEAR),
            REGIONS: rows({"AL-1": 25, "AL-2": "few", "AL-3": 12, "AL-4": "few"}, period=YEAR),
        },
        Knowledge(0, 1, 1000, 1, 11, 1),  # hidden by a pattern, not by its size
    )
    assert bounds_of(release, TREE, REGIONS, area="AL-2") == (1, 23)
    assert attack([release], TREE)[0] == []


def test_a_complementary_pattern_that_is_too_tight_does_not_pass():
    release = published(
        {
            COUNTRY: rows({"AL": 47}, period=YEAR),
            REGIONS: rows({"AL-1": 25, "AL-2": "few", "AL-3": 12, "AL-4": "few"}, period=YEAR),
        },
        Knowledge(0, 1, 1000, 1, 11, 1),
    )
    assert bounds_of(release, TREE, REGIONS, area="AL-2") == (1, 9)
    assert {dict(f.cell)["area"] for f in attack([release], TREE)[0]} == {"AL-2", "AL-4"}


def exact_world(seed, known, *, zeros_shown):
    """Return a random world of exact numbers, published with the threshold alone, and its true tables."""
    rng = np.random.default_rng(seed)
    frame = small_worlds.encounters(rng, 800, 600)
    frame["region"] = frame["municipality"].map(small_worlds.area_table()["parent"])
    frame["country"] = frame["region"].map(small_worlds.area_table()["parent"])
    tables = {}
    for level, by in product(("municipality", "region", "country"), ((), ("stage",))):
        from data.tables.spec import CATEGORIES

        areas_ = small_worlds.area_table().query("level == @level and counted").index
        names_ = [areas_, *(CATEGORIES[c] for c in by)]
        index = pd.MultiIndex.from_product(names_, names=["area", *by])
        counts = frame.rename(columns={level: "area"}).groupby(["area", *by]).size()
        counts = counts.reindex(index, fill_value=0).rename("value").reset_index()
        hidden = (counts["value"] < 11) & ((counts["value"] > 0) | (not zeros_shown))
        counts["state"] = np.where(hidden, "few", "number")
        counts["true"] = counts["value"]
        counts["value"] = counts["value"].astype("Int64").where(~hidden)
        spec = TableSpec("children", level, "whole", by)
        tables[spec] = counts.assign(period=WHOLE)
    arrow = {s: pa.Table.from_pandas(f.drop(columns="true"), preserve_index=False) for s, f in tables.items()}
    return published(arrow, known), tables


@pytest.mark.parametrize("seed", range(6))
def test_primary_suppression_with_visible_zeros_gives_most_hidden_cells_away(seed):
    release, truth = exact_world(seed, ZEROS_SHOWN, zeros_shown=True)
    tree = small_worlds.area_table()[["level", "parent"]]
    plan = BoundsAttack.from_releases([release], tree)
    bounds = plan.system.solve()
    hidden = exact = 0
    for table in plan.lattice.tables.values():
        spec = TableSpec(table.shape.measure, table.shape.level, table.shape.grain, table.shape.breakdown)
        if spec not in truth:
            continue
        true = truth[spec].set_index(["area", *spec.breakdown])["true"]
        for offset in np.flatnonzero(table.state.ravel() == 2):  # few
            cell = table.name(int(offset))
            value = true[tuple(cell[c] for c in ("area", *spec.breakdown)) if spec.breakdown else cell["area"]]
            low, high = bounds.low[table.base + offset], bounds.high[table.base + offset]
            assert low <= value <= high
            hidden += 1
            exact += low == high
    assert hidden > 10
    assert exact > hidden / 5
    assert len(attack([release], tree)[0]) > hidden / 2


def test_merging_zeros_alone_does_not_help_a_single_hidden_cell():
    release = published(
        {
            COUNTRY: rows({"AL": 57}, period=YEAR),
            REGIONS: rows({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, period=YEAR),
        },
        ZEROS_MERGED,
    )
    assert bounds_of(release, TREE, REGIONS, area="AL-2") == (0, 0)
    assert len(attack([release], TREE)[0]) == 1


def test_periods_and_categories_are_sums_too():
    known = Knowledge(0, 0, 10, 0, 10, 1)
    quarters = [f"2006-{m:02d}-01/P3M" for m in (6, 9, 12)] + ["2007-03-01/P3M"]
    quarter = TableSpec("children", "country", "quarter")
    frames = [rows({"AL": v}, period=p) for p, v in zip(quarters, (20, "few", 15, 30), strict=True)]
    frames[2] = rows({"AL": 15}, period="2006-12-01/P3M")
    release = published({COUNTRY: rows({"AL": 70}, period=YEAR), quarter: pa.concat_tables(frames)}, known)
    assert bounds_of(release, TREE, quarter, period=quarters[1]) == (5, 5)
    by_found = TableSpec("children", "country", "year", ("found",))
    release = published(
        {
            COUNTRY: rows({"AL": 70}, period=YEAR),
            by_found: rows({"reported": 66, "discovered": "few"}, "found", area="AL", period=YEAR),
        },
        known,
    )
    assert bounds_of(release, TREE, by_found, found="discovered") == (4, 4)


def test_two_breakdowns_of_a_total_that_nobody_published_are_tied_through_it():
    sex, by_found = (TableSpec("children", "country", "year", (b,)) for b in ("sex", "found"))
    release = published(
        {
            sex: rows({"female": 30, "male": "few", "unknown": 0}, "sex", area="AL", period=YEAR),
            by_found: rows({"reported": 25, "discovered": 12}, "found", area="AL", period=YEAR),
        },
        ZEROS_SHOWN,
    )
    assert bounds_of(release, TREE, sex, sex="male") == (7, 7)


def test_the_model_table_is_tied_to_the_tables_of_children():
    tree = areas(AL="", **{"AL-1": "AL"})
    quarter = "2006-06-01/P3M"
    pathway = TableSpec("children", "region", "quarter", ("pathway",))
    model = TableSpec("model", "region", "quarter", ("crossing", "found"))
    by = {"internal": 4, "al_to_gr": 0, "other_cross_border": 0, "none_known": 50}
    cells = [
        {"area": "AL-1", "period": quarter, "crossing": c, "found": f, "value": v, "state": s}
        for c, f, v, s in (
            ("internal", "reported", None, "few"),
            ("internal", "discovered", 3, "number"),
            ("cross_border", "reported", None, "few"),
            ("cross_border", "discovered", 0, "number"),
        )
    ]
    release = published(
        {pathway: rows(by, "pathway", area="AL-1", period=quarter), model: pa.Table.from_pylist(cells)}, ZEROS_MERGED
    )
    assert bounds_of(release, tree, model, crossing="internal", found="reported") == (0, 1)
    assert bounds_of(release, tree, model, crossing="cross_border", found="reported") == (0, 0)


def test_returns_are_tied_to_their_stage_and_to_the_flow_that_they_undo():
    tree, year = areas(AL="", GR=""), "2006-06-01/P1Y"
    stage = TableSpec("children", "country", "year", ("stage",))
    returns = TableSpec("returns", "country", "year", ("return_way",))
    flows = TableSpec("flows", "country", "year", ("origin",))
    stages = [
        {"area": area, "period": year, "stage": name, "value": 12 if name == "returning" else 20, "state": "number"}
        for area, name in product(("AL", "GR"), CATEGORIES["stage"])
    ]
    ways = [
        {"area": area, "period": year, "return_way": way, "value": value, "state": state}
        for area in ("AL", "GR")
        for way, value, state in (
            ("gr_to_al", None, "few"),
            ("al_to_gr", 0, "number"),
            ("inside", 5, "number"),
            ("unknown", 3, "number"),
        )
    ]
    taken = [
        {"area": area, "period": year, "origin": origin, "value": value, "state": "number"}
        for area, origin, value in (("AL", "AL", 30), ("AL", "GR", 0), ("GR", "AL", 8), ("GR", "GR", 30))
    ]
    tables = {stage: stages, returns: ways, flows: taken}
    whole = {spec: pa.Table.from_pylist(cells) for spec, cells in tables.items()}
    assert bounds_of(published(whole, ZEROS_MERGED), tree, returns, area="AL", return_way="gr_to_al") == (4, 4)
    alone = {spec: cells for spec, cells in whole.items() if spec != stage}
    assert bounds_of(published(alone, ZEROS_MERGED), tree, returns, area="AL", return_way="gr_to_al") == (0, 8)


def test_families_are_at_most_children_with_a_household_and_these_at_most_all_children():
    tree, year = areas(AL="", GR=""), "2006-06-01/P1Y"
    numbers = {"families": 5, "household_children": None, "children": 7}
    tables = {
        TableSpec(measure, "country", "year"): pa.Table.from_pylist(
            [{"area": a, "period": year, "value": n, "state": "few" if n is None else "number"} for a in ("AL", "GR")]
        )
        for measure, n in numbers.items()
    }
    release = published(tables, ZEROS_MERGED)
    assert bounds_of(release, tree, TableSpec("household_children", "country", "year"), area="AL") == (5, 7)


def test_encounters_do_not_add_up_but_bound_each_other():
    spec, outer = TableSpec("encounters", "region", "year"), TableSpec("encounters", "country", "year")
    release = published(
        {
            outer: rows({"AL": 30}, period=YEAR),
            spec: rows({"AL-1": 12, "AL-2": "few", "AL-3": 11, "AL-4": 0}, period=YEAR),
            COUNTRY: rows({"AL": 28}, period=YEAR),
        },
        ZEROS_MERGED,
    )
    assert bounds_of(release, TREE, spec, area="AL-2") == (7, 10)  # at least 30 - 23, and at most its own
    assert bounds_of(release, TREE, outer, area="AL") == (30, 30)


# -- noise --


def noisy(values, total, **more):
    known = Knowledge(5, 0, 15, 0, 10, 6)
    tables = {COUNTRY: rows({"AL": total}, period=YEAR), REGIONS: rows(values, period=YEAR)}
    return published(tables, known, **more)


def test_noise_keeps_an_interval_open_for_every_cell():
    release = noisy({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 62)
    assert bounds_of(release, TREE, REGIONS, area="AL-2") == (0, 15)
    assert attack([release], TREE)[0] == []


def test_noise_that_happens_to_agree_too_badly_is_found():
    release = noisy({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 79)
    assert bounds_of(release, TREE, REGIONS, area="AL-2")[0] == 2
    assert [dict(f.cell)["area"] for f in attack([release], TREE)[0]] == ["AL-2"]


def test_numbers_drawn_anew_in_each_release_are_averaged():
    draws = [noisy({"AL-1": v, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 62, frozen=False) for v in (16, 24)]
    assert bounds_of(draws, TREE, REGIONS, area="AL-1") == (19, 21)
    assert {dict(f.cell)["area"] for f in attack(draws, TREE)[0]} == {"AL-1"}


def test_a_frozen_number_that_changed_says_that_the_children_did():
    draws = [noisy({"AL-1": v, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 62) for v in (16, 24)]
    assert bounds_of(draws, TREE, REGIONS, area="AL-1") == (19, 29)
    assert attack(draws, TREE)[0] == []


def test_what_an_earlier_release_said_is_not_forgotten():
    """The later release withholds a number that the earlier release shows: a reader has both."""
    first = noisy({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 62)
    second = noisy({"AL-1": 20, "AL-2": "few", "AL-3": 25, "AL-4": 12}, 62)
    hidden = second.tables[REGIONS].to_pylist()
    hidden[0].update(value=None, state="withheld")
    second.tables[REGIONS] = pa.Table.from_pylist(hidden, schema=second.tables[REGIONS].schema)
    assert bounds_of([first, second], TREE, REGIONS, area="AL-1") == (15, 25)


@pytest.mark.parametrize(("total", "low", "high"), [(22, 1, 15), (21, 0, 15)])
def test_a_number_that_a_raised_threshold_hides_is_not_forgotten(total, low, high):
    """The first release shows 11 where the second has "fewer than 20", and only the second shows the total."""
    tree = areas(AL="", **{"AL-1": "AL", "AL-2": "AL"})
    before, after = (Knowledge(5, 0, k + 4, 0, k - 1, 6) for k in (11, 20))
    first = published({REGIONS: rows({"AL-1": 11, "AL-2": "few"}, period=YEAR)}, before)
    regions = rows({"AL-1": "few", "AL-2": "few"}, period=YEAR)
    releases = [first, published({REGIONS: regions, COUNTRY: rows({"AL": total}, period=YEAR)}, after, k=20)]
    assert bounds_of(releases, tree, REGIONS, area="AL-2") == (low, high)
    # What the first release hid is still one of 0 to 10, as that release says.
    assert {dict(f.cell)["area"] for f in attack(releases, tree)[0]} == ({"AL-2"} if low else set())
    assert [row["value"] for row in sequence.join_releases(releases).tables[REGIONS].to_pylist()] == [11, None]


def test_a_sum_that_no_world_satisfies_is_left_out():
    """The whole programme is published later than its years, and its records may have changed by then."""
    first = noisy({"AL-1": 20, "AL-2": 11, "AL-3": 25, "AL-4": 12}, 68)
    second = noisy({"AL-1": 90, "AL-2": 11, "AL-3": 25, "AL-4": 12}, 68)
    assert bounds_of([first, second], TREE, REGIONS, area="AL-1") == (85, 95)
    assert attack([first, second], TREE)[1].contradictions == 1


# -- the solver --


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bounds_hold_every_possible_world_and_are_exact_on_a_tree(data):
    """Compare the bounds with a list of all possible worlds of a small tree."""
    widths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    leaves = sum(widths)
    truth = data.draw(st.lists(st.integers(0, 4), min_size=leaves, max_size=leaves))
    sums, start = [], 0
    parts = []
    for width in widths:
        parts.append(list(range(start, start + width)))
        sums.append(sum(truth[start : start + width]))
        start += width
    everything = [*truth, *sums, sum(truth)]
    n = len(everything)
    low = [max(0, v - data.draw(st.integers(0, 2))) for v in everything]
    high = [v + data.draw(st.integers(0, 2)) for v in everything]
    many = [(np.array([leaves + i]), np.array([p])) for i, p in enumerate(parts)]
    many.append((np.array([n - 1]), np.array([[leaves + i for i in range(len(widths))]])))
    bounds = System(np.array(low), np.array(high), Ties.join(many)).solve()
    worlds = []
    for leaf in product(*(range(a, b + 1) for a, b in zip(low[:leaves], high[:leaves], strict=True))):
        inner = [sum(leaf[i] for i in p) for p in parts]
        world = [*leaf, *inner, sum(leaf)]
        if all(a <= v <= b for a, v, b in zip(low, world, high, strict=True)):
            worlds.append(world)
    worlds = np.array(worlds)
    assert (bounds.low == worlds.min(axis=0)).all()
    assert (bounds.high == worlds.max(axis=0)).all()
    assert bounds.contradictions == 0


def test_a_tie_that_no_world_satisfies_is_dropped_and_counted():
    ties = Ties.join([(np.array([0]), np.array([[1, 2]])), (np.array([3]), np.array([[4]]))])
    low = np.array([10, 1, 1, 2, 0])
    high = np.array([12, 2, 2, 5, UNKNOWN])
    bounds = System(low, high, ties).solve()
    assert bounds.contradictions == 1
    assert (bounds.low[0], bounds.high[0]) == (10, 12)
    assert (bounds.low[4], bounds.high[4]) == (2, 5)


# -- whole releases --


ANY_WORLD = given(st.integers(0, 2**32 - 1), st.integers(20, 800), st.floats(0.05, 3))


@pytest.mark.long
@pytest.mark.usefixtures("few_worlds")
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@ANY_WORLD
def test_two_releases_of_any_world_withstand(tmp_path_factory, seed, children, concentration):
    folder = tmp_path_factory.mktemp("r")
    release_twice_and_attack(folder, seed, children, concentration, plan=small_worlds.SMALL_PLAN)


@pytest.mark.long
@pytest.mark.usefixtures("few_worlds")
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@ANY_WORLD
def test_two_default_releases_of_any_world_withstand(tmp_path_factory, seed, children, concentration):
    release_twice_and_attack(tmp_path_factory.mktemp("r"), seed, children, concentration)


def release_twice_and_attack(folder, seed, children, concentration, **changes):
    rng = np.random.default_rng(seed)
    world = small_worlds.encounters(rng, int(children * 1.4), children, concentration=concentration)
    later = small_worlds.encounters(rng, 60, 60, first="2007-06-01", last="2007-08-31")
    vault = small_worlds.MemoryVault()
    for frame in (world, pd.concat([world, later])):
        vault.records["encounter"] = frame
        small_worlds.release(vault, folder, **changes)
    for tier in ("partner", "public"):
        releases = [Release.open(folder, tier, n) for n in reversed(names(folder))]
        findings, went = attack([reading.read_published(r) for r in releases], reading.read_areas(releases[-1]))
        assert findings == []
        assert went.contradictions == 0


WORST = {
    "one child": lambda w: w.iloc[:1],
    "a family of five in one quarter": lambda w: w.iloc[:5].assign(date="2006-07-01", municipality="9261"),
    "everyone in one place": lambda w: w.assign(municipality="101"),
    "one category only": lambda w: w.assign(stage="identified", pathway="internal", sex="female"),
    "one child with forty encounters": lambda w: w.iloc[:40].assign(child=small_worlds.child(0)),
    "two partners reporting the same child": lambda w: pd.concat(
        [w, w.assign(child=w["child"].map(small_worlds.child), programme_child=w["child"])]
    ),
    "all on one day in two places": lambda w: w.assign(
        date="2006-07-01", municipality=np.where(np.arange(len(w)) % 50, "101", "102")
    ),
}


@pytest.mark.always(
    "one child",
    "a family of five in one quarter",
    "everyone in one place",
    "one child with forty encounters",
    "two partners reporting the same child",
)
@pytest.mark.slow
@pytest.mark.parametrize("what", WORST)
def test_worst_worlds_withstand(tmp_path, what):
    release_and_attack(tmp_path, what, plan=small_worlds.SMALL_PLAN)


@pytest.mark.long
@vary("what", WORST, "everyone in one place", "two partners reporting the same child")
def test_worst_worlds_withstand_by_default(tmp_path, what):
    release_and_attack(tmp_path, what)


def release_and_attack(tmp_path, what, **changes):
    world = WORST[what](small_worlds.encounters(np.random.default_rng(8), 500, 350))
    vault = small_worlds.MemoryVault(encounter=world.reset_index(drop=True))
    small_worlds.release(vault, tmp_path, **changes)
    for tier in ("partner", "public"):
        for name, findings, _ in attack_numbers([], Release.open(tmp_path, tier), thorough=tier == "public"):
            assert findings == [], name


@pytest.mark.slow
def test_the_true_counts_lie_within_the_bounds(tmp_path):
    """The attack is correct: it never excludes the true count."""
    world = small_worlds.encounters(np.random.default_rng(9), 600, 400)
    small_worlds.release(small_worlds.MemoryVault(encounter=world), tmp_path, plan=small_worlds.SMALL_PLAN)
    release = Release.open(tmp_path, "partner")
    first = world.sort_values("date").drop_duplicates("child")
    first = first[~first["child"].isin(_ambiguous(world))]
    plan = BoundsAttack.from_releases([reading.read_published(release)], reading.read_areas(release))
    bounds = plan.system.solve()
    checked = 0
    for table in plan.lattice.tables.values():
        if (table.shape.measure, table.shape.level, table.shape.grain) == ("children", "municipality", "year"):
            by = table.shape.breakdown
            for offset in range(table.state.size):
                cell = table.name(offset)
                year = Period.parse(cell["period"])
                inside = first["date"].between(year.start.isoformat(), year.end.isoformat())
                here = first[inside & (first["municipality"] == cell["area"])]
                for column in by:
                    here = here[here[column] == cell[column]]
                assert bounds.high[table.base + offset] >= len(here)
                checked += 1
    assert checked > 50


def _ambiguous(world):
    """Return the children with two encounters on their first day: the content decides which of the two counts."""
    first = world.groupby("child")["date"].transform("min")
    same = world[world["date"] == first]
    return same.loc[same.duplicated("child"), "child"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_worlds")
def test_a_release_that_would_give_cells_away_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    from data.restricted import publishing
    from data.restricted.publishing.withholding import SafeTables

    monkeypatch.setattr(publishing, "withhold_cells", lambda tables, *_: SafeTables(tables, {}, {}, frozenset()))
    vault = small_worlds.MemoryVault(
        encounter=small_worlds.encounters(np.random.default_rng(0), 900, 600, concentration=0.1)
    )
    with pytest.raises(ReleaseRefused, match="nothing was published") as refused:
        small_worlds.release(vault, tmp_path, plan=small_worlds.SMALL_PLAN)
    assert "(AL, 2006-06-01/P1Y" in str(refused.value) or "(GR, 2006-06-01/P1Y" in str(refused.value)
    assert vault.staged_publication() is None
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]


@pytest.mark.long
def test_redrawn_numbers_of_a_loose_policy_are_found(tmp_path, few_worlds):
    """If each release draws new noise with other keys, the mean of the numbers reveals the counts."""
    world = small_worlds.encounters(np.random.default_rng(4), 900, 600)
    loose = replace(Policy(), frozen=False)
    published_ = []
    for number in range(8):
        vault = small_worlds.MemoryVault(encounter=world)
        keys = small_worlds.IdentifierHasher(bytes([number]) * 32).record_keys
        folder = tmp_path / str(number)
        small_worlds.release(vault, folder, policy=loose, record_keys=keys, plan=small_worlds.SMALL_PLAN)
        release = Release.open(folder, "partner")
        published_.append(reading.read_published(release))
    findings, _ = attack(published_, reading.read_areas(release))
    assert len(findings) > 100


@pytest.mark.always("1")
@pytest.mark.slow
@pytest.mark.usefixtures("few_worlds")
@vary("seed", range(6), 0, 1)
def test_four_releases_of_a_changing_world_withstand(tmp_path, seed):
    """Records come late, records are deleted, new quarters begin: the attack finds nothing, and no contradiction."""
    rng, plan = np.random.default_rng([40, seed]), small_worlds.SMALL_PLAN if seed % 3 else DEFAULT_PLAN
    children, concentration = int(rng.integers(30, 1500)), float(rng.uniform(0.05, 3))
    world = small_worlds.encounters(rng, int(children * 1.4), children, concentration=concentration)
    vault = small_worlds.MemoryVault()
    policy = Policy(last=date(2008, 5, 31))
    for first, last, day in (
        ("2006-07-01", "2007-05-31", date(2007, 7, 1)),
        ("2007-06-01", "2007-08-31", date(2007, 9, 15)),
        ("2007-09-01", "2007-11-30", date(2008, 1, 1)),
        ("2007-12-01", "2008-02-28", date(2008, 9, 15)),
    ):
        gone = rng.random(len(world)) < rng.choice([0, 0.02, 0.2])
        rows = int(rng.integers(1, 200))
        new = small_worlds.encounters(rng, rows, children, concentration=concentration, first=first, last=last)
        world = pd.concat([world[~gone], new], ignore_index=True)
        vault.records["encounter"] = world
        small_worlds.release(vault, tmp_path, policy=policy, day=day, plan=plan)
        for tier in ("partner", "public"):
            releases = [Release.open(tmp_path, tier, n) for n in reversed(names(tmp_path))]
            findings, went = attack([reading.read_published(r) for r in releases], reading.read_areas(releases[-1]))
            assert findings == []
            assert went.contradictions == 0


def test_a_year_that_reaches_beyond_the_whole_counts_in_it():
    year, whole = TableSpec("children", "country", "year"), TableSpec("children", "country", "whole")
    known = Knowledge(0, 0, 10, 0, 10, 1)
    parts = [rows({"AL": v}, period=p) for v, p in ((20, YEAR), ("few", "2007-06-01/P1Y"))]
    span = "2006-06-01/2007-08-31"
    release = published({whole: rows({"AL": 24}, period=span), year: pa.concat_tables(parts)}, known)
    assert bounds_of(release, TREE, year, period="2007-06-01/P1Y") == (4, 4)


def test_an_area_that_only_one_of_two_releases_has_takes_the_number_of_no_other():
    known = Knowledge(5, 0, 15, 0, 10, 6)
    tree = areas(AL="", **{"AL-1": "AL", "AL-2": "AL", "AL-3": "AL"})

    def release(**cells):
        return published({REGIONS: rows({code.replace("_", "-"): n for code, n in cells.items()}, period=YEAR)}, known)

    grown = [release(AL_1=30, AL_2=40), release(AL_1=30, AL_2=40, AL_3=90)]
    assert [bounds_of(grown, tree, REGIONS, area=f"AL-{n}") for n in (1, 2, 3)] == [(25, 35), (35, 45), (85, 95)]
    shrunk = [release(AL_1=30, AL_2=40, AL_0=90), release(AL_1=30, AL_2=40)]
    assert [bounds_of(shrunk, tree, REGIONS, area=f"AL-{n}") for n in (1, 2)] == [(25, 35), (35, 45)]


PLACES = TableSpec("children", "municipality", "year")


@pytest.mark.parametrize(("number", "stays"), [(2, True), (5, False)])
def test_a_number_of_a_municipality_that_a_later_threshold_hides_is_not_forgotten(number, stays):
    """Partners saw 2 before the threshold of 3; that it is hidden now is no change, that a 5 is hidden would be one."""
    tree = areas(AL="", **{"AL-1": "AL", "101": "AL-1"})
    every, from_three = Knowledge(5, 0, 5, 0, 0, 6), Knowledge(5, 0, 7, 0, 2, 6)
    first = published({PLACES: rows({"101": number}, period=YEAR)}, every)
    hidden = rows({"101": "almost_none"}, period=YEAR)
    releases = [first, published({PLACES: hidden}, from_three)]
    assert bounds_of(releases, tree, PLACES, area="101") == (0, 7)
    assert [row["value"] for row in sequence.join_releases(releases).tables[PLACES].to_pylist()] == [
        number if stays else None
    ]
    assert bool(sequence.attack(releases)[0]) is not stays
    assert bounds_of(releases[1:], tree, PLACES, area="101") == (0, 7)
