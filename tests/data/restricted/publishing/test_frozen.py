"""Published numbers are repeated for ever; a quarter is drawn again only once, when its year is final."""

import json
import struct
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks.membership import Advantage
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.errors import ReleaseError
from data.release import Release
from data.restricted import publishing
from data.restricted.counting import encounters as counting
from data.restricted.publishing import withholding
from data.restricted.vault.blocks import Block
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES, TableSpec
from tests.helpers import small_worlds

pytestmark = pytest.mark.usefixtures("few_worlds")

WHERE = {"date": "2006-07-01", "municipality": "101", "stage": "identified", "pathway": "internal"}
TWO_YEARS = Policy(last=date(2008, 5, 31))
IN_SECOND_YEAR, FIRST_YEAR_FINAL, ALL_FINAL = date(2007, 7, 1), date(2007, 9, 1), date(2008, 9, 1)


@cache
def draw_row():
    return small_worlds.encounters(np.random.default_rng(0), 1, 1).iloc[0].to_dict()


def children(count, first=0, **changes):
    base = {**draw_row(), "origin": "", "destination": "", **WHERE, **changes}
    return pd.DataFrame([{**base, "child": small_worlds.child(first + n)} for n in range(count)])


def numbers(folder, name, tier="partner"):
    """Return all counted cells of a release: the number, or the state if there is none."""
    values = {}
    release = Release.open(folder, tier, name)
    for table in release.tables:
        frame = release.table(table)
        if table != "figures":
            keys = [c for c in frame.columns if c not in ("value", "state", "margin", "reconciled")]
            shown = frame["value"].astype(object).where(frame["value"].notna(), frame["state"])
            cells = zip(*(frame[key].tolist() for key in keys), strict=True)
            values |= {(table, *cell): value for cell, value in zip(cells, shown.tolist(), strict=True)}
    return values


@pytest.fixture
def world(tmp_path):
    """Return a function that releases a changing set of records again and again."""
    vault = small_worlds.MemoryVault()

    def publish(*frames, tier="partner", **changes):
        vault.records["encounter"] = pd.concat(frames, ignore_index=True)
        release = small_worlds.release(vault, tmp_path, plan=small_worlds.FEW_PLAN, **changes)
        return numbers(tmp_path, release.name, tier)

    publish.vault, publish.folder = vault, tmp_path
    return publish


@pytest.mark.long
def test_the_same_records_give_the_same_numbers(world):
    base = small_worlds.encounters(np.random.default_rng(3), 400, 200)
    first, second = world(base), world(base.sample(frac=1, random_state=1))
    assert first == second


@pytest.mark.always("11")
@pytest.mark.slow
@pytest.mark.parametrize("late", [1, 10, 11, 200])
def test_no_number_of_late_children_changes_a_final_number(world, late):
    """An earlier rule drew a block again after eleven changes, which everybody could see."""
    base = children(30)
    assert world(base) == world(base, children(late, 500))


@pytest.mark.long
@pytest.mark.parametrize(("seed", "share"), [(1, 0.02), (2, 0.3), (3, 0.9)])
def test_whoever_leaves_or_moves_changes_no_final_number(tmp_path, seed, share):
    folder, draw = tmp_path, np.random.default_rng(seed)
    frame = small_worlds.encounters(draw, 200, 120)
    vault = small_worlds.MemoryVault(encounter=frame)
    chosen = draw.random(len(frame)) < share
    moved = frame.assign(municipality=frame["municipality"].where(~chosen, "101"))
    seen = []
    for records in (frame, frame[~chosen], moved, frame.iloc[:1]):
        vault.records["encounter"] = records.reset_index(drop=True)
        release = small_worlds.release(vault, folder, plan=small_worlds.FEW_PLAN)
        seen.append([numbers(folder, release.name, tier) for tier in ("partner", "public")])
    assert all(now == seen[0] for now in seen[1:])


@pytest.mark.slow
def test_a_year_is_final_once_its_lag_has_passed(world):
    base = small_worlds.encounters(np.random.default_rng(3), 500, 300, last="2008-05-31")

    def periods(day):
        cells = world(base, policy=TWO_YEARS, day=day)
        manifest = Release.open(world.folder, "partner").manifest["tact"]
        return {cell[2] for cell in cells if cell[0].startswith("children")}, manifest["final"], manifest["last"]

    quarters, final, last = periods(date(2006, 9, 1))
    assert (quarters, final, last) == ({"2006-06-01/P3M"}, "2006-05-31", "2006-08-31")
    seen, final, _ = periods(IN_SECOND_YEAR)
    assert (len(seen), final) == (4, "2006-05-31"), "one month after its end the first year is not final"
    seen, final, _ = periods(FIRST_YEAR_FINAL)
    assert seen >= {"2006-06-01/P1Y", "2007-06-01/P3M"}
    assert final == "2007-05-31"
    assert not any("/2" in period for period in seen), "the whole programme has no number before its end"
    seen, final, last = periods(ALL_FINAL)
    assert "2006-06-01/2008-05-31" in seen
    assert (final, last) == (None, "2008-05-31")


@pytest.mark.slow
def test_public_numbers_are_final_ones_alone(world):
    base = small_worlds.encounters(np.random.default_rng(3), 500, 300, last="2008-05-31")
    assert not world(base, tier="public", policy=TWO_YEARS, day=IN_SECOND_YEAR)
    seen = world(base, tier="public", policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
    assert {cell[2] for cell in seen} == {"2006-06-01/P1Y"}
    later = world(base, children(50, 500), tier="public", policy=TWO_YEARS, day=ALL_FINAL)
    assert {cell: later[cell] for cell in seen} == seen


@cache
def grid_of(final):
    return Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2008, 5, 31), final)


def load(frame):
    return counting.load_encounters(small_worlds.batches(frame), grid_of(None).names)


def draw(spec, loaded, seed, final=None):
    """Draw one table as a release does, without publishing it; `final` as in Grid."""
    keys = small_worlds.IdentifierHasher(bytes([seed]) * 32).record_keys
    cells = counting.count_table(counting.read_encounters(loaded, grid_of(final), keys), spec, 3, 2**24)
    return CellKey.from_policy(TWO_YEARS).publish(cells.counts, cells.keys)


@pytest.mark.slow
def test_a_provisional_number_is_repeated_until_its_year_is_final(world):
    base, late = children(30), children(11, 500)
    first = world(base, policy=TWO_YEARS, day=date(2006, 10, 1))
    second = world(base, late, policy=TWO_YEARS, day=date(2006, 11, 1))
    assert first == second
    cell = ("children_region_quarter", "AL-11", "2006-06-01/P3M")
    assert world(base, late, policy=TWO_YEARS, day=FIRST_YEAR_FINAL)[cell] >= 41 - 5 > 35 >= first[cell]


@pytest.mark.slow
def test_the_final_draw_tells_nothing_of_who_came_since_the_provisional_one():
    """The number of a cell with one new child changes as often as the number of a cell without one."""
    spec = TableSpec("children", "region", "quarter")
    base = pd.concat([children(30), children(30, 100, municipality="9001")])
    before, late = load(base), load(pd.concat([base, children(1, 500, municipality="9001")]))
    moved = {"AL-11": 0, "GR-I": 0}
    for seed in range(200):
        first = draw(spec, before, seed, final=date(2006, 5, 31))[:, 0]
        last = draw(spec, late, seed)[:, 0]
        for area in moved:
            row = ("AL-11", "AL-02", "GR-I", "GR-K", "GR-69").index(area)
            moved[area] += int(first[row] != last[row])
    same, changed = (count / 200 for count in moved.values())
    assert 0.6 < same < 0.95
    assert abs(same - changed) < 0.12


@pytest.mark.slow
def test_the_extent_follows_the_policy_and_never_one_child(world):
    """In an earlier version the only child of the newest quarter could add a year to the release."""
    base = children(30)
    newest = children(1, 900, date="2008-05-30")
    for frames in ((base, newest), (base,)):
        cells = world(*frames, policy=TWO_YEARS, day=ALL_FINAL)
        manifest = Release.open(world.folder, "partner").manifest["tact"]
        assert (manifest["first"], manifest["last"]) == ("2006-06-01", "2008-05-31")
        assert {cell[2] for cell in cells} >= {"2007-06-01/P1Y", "2008-03-01/P3M"}


def test_days_of_the_policy_that_hold_nobody_are_named(world):
    with pytest.raises(ReleaseError, match=r"No encounter lies in .* Check first and last"):
        world(children(30, date="2009-07-01"), policy=TWO_YEARS)


@pytest.mark.long
def test_a_total_that_equals_its_only_part_says_little_of_the_others():
    """Forty children of one stage: the numbers of total and part are equal only as often as two independent draws."""
    total, part = (TableSpec("children", "region", "whole", by) for by in ((), ("stage",)))
    stage = CATEGORIES["stage"].index("identified")
    forty = load(children(40))
    equal = [draw(total, forty, seed)[0, 0] == draw(part, forty, seed)[0, 0, stage] for seed in range(200)]
    noise = CellKey.from_policy(TWO_YEARS).channel(60).matrix[40]
    assert np.mean(equal) == pytest.approx(float((noise**2).sum()), abs=0.08)


def test_a_block_of_an_earlier_version_is_repeated_and_loses_its_marks():
    head = json.dumps([{"children": [7]}, {"public": ["children/0"]}]).encode()
    old = struct.pack("<BI", 2, len(head)) + head + bytes(range(16))
    block = Block.decode(old)
    assert block == Block({"children": [7]}, {"public": ["children/0"]})
    assert Block.decode(block.encode()) == block
    assert bytes(range(16)) not in block.encode()
    with pytest.raises(ReleaseError, match="version"):
        Block.decode(struct.pack("<BI", 9, 0))


@pytest.mark.slow
def test_late_records_of_a_final_year_wait_and_are_counted_for_the_officer(world):
    base, second_year = children(30).assign(batch=1), children(20, 50, date="2007-07-01").assign(batch=2)
    late = children(3, 500).assign(batch=3)

    def waiting(day, *frames):
        world.vault.records["encounter"] = pd.concat(frames, ignore_index=True)
        return small_worlds.release(
            world.vault, world.folder, plan=small_worlds.FEW_PLAN, policy=TWO_YEARS, day=day
        ).waiting

    assert waiting(IN_SECOND_YEAR, base) == 0
    assert waiting(FIRST_YEAR_FINAL, base, second_year) == 0
    assert waiting(FIRST_YEAR_FINAL, base, second_year, late) == 3
    assert waiting(ALL_FINAL, base, second_year.assign(batch=4), late) == 3, "the second year is not drawn yet"


def mark_all_cells(tables, *_):
    return {spec: np.ones(table.value.shape, bool) for spec, table in tables.items() if spec.counted}


@pytest.mark.slow
def test_what_a_release_shows_is_never_withheld_later(world, monkeypatch):
    """Attacks use random numbers: if one succeeds only later, shown numbers stay and only new cells are withheld."""
    everyone = small_worlds.encounters(np.random.default_rng(1), 900, 600, last="2008-05-31")
    plan = {"tier": "public", "policy": TWO_YEARS}
    first = world(everyone, day=FIRST_YEAR_FINAL, **plan)
    years = {cell: value for cell, value in first.items() if "/P1Y" in cell[2]}
    assert sum(isinstance(value, int) for value in years.values()) > 1
    everywhere = {
        code: Advantage(0.3, 0.29, 0.31, None) for regions in small_worlds.REGIONS.values() for code in regions
    }
    monkeypatch.setattr(withholding, "survey_public", lambda *_, **__: everywhere)
    monkeypatch.setattr(withholding, "_find_unsafe_cells", mark_all_cells)
    later = world(everyone, day=ALL_FINAL, **plan)
    assert {cell: later[cell] for cell in years} == years
    new = {cell: value for cell, value in later.items() if cell not in years and cell[0] == "children_region_year"}
    assert set(new.values()) == {"withheld"}
    assert world(everyone, day=ALL_FINAL, **plan) == later


def test_what_partners_do_not_see_is_withheld_in_a_public_table_that_comes_later(world, monkeypatch):
    world.vault.records["encounter"] = children(40)
    partners_alone = {**small_worlds.FEW_PLAN, "public": ()}
    with monkeypatch.context() as patch:
        patch.setattr(withholding, "_find_unsafe_cells", mark_all_cells)
        small_worlds.release(world.vault, world.folder, plan=partners_alone)
    cell = ("children_region_year", "AL-11", "2006-06-01/P1Y")
    assert world(children(40), tier="public")[cell] == "withheld"


@pytest.mark.slow
def test_nothing_is_published_for_a_day_before_that_of_the_last_release(world):
    base = small_worlds.encounters(np.random.default_rng(4), 300, 200, last="2008-05-31")
    world(base, policy=TWO_YEARS, day=ALL_FINAL)
    for day in (date(2008, 7, 1), date(2007, 12, 10), FIRST_YEAR_FINAL, IN_SECOND_YEAR, date(2006, 7, 1)):
        with pytest.raises(ReleaseError, match="Give a later day"):
            world(base, policy=TWO_YEARS, day=day)
    assert len(list(world.folder.glob("20*"))) == 1


@pytest.mark.long
def test_a_provisional_release_is_followed_by_that_of_a_later_day_alone(world):
    base = small_worlds.encounters(np.random.default_rng(4), 300, 200, last="2008-05-31")
    world(base, policy=TWO_YEARS, day=IN_SECOND_YEAR)
    world(base, policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
    with pytest.raises(ReleaseError, match="Give a later day"):
        world(base, policy=TWO_YEARS, day=IN_SECOND_YEAR)


@pytest.mark.parametrize("first", [date(2007, 6, 1), date(2005, 6, 1)])
def test_the_first_day_of_the_programme_stays_once_something_was_released(world, first):
    """Children who were met on both sides of another first day would be counted in two final years."""
    base, again = children(30), children(30, date="2007-07-01")
    world(base, again, policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
    with pytest.raises(ReleaseError, match="Put the first day of the programme back"):
        world(base, again, policy=Policy(first=first, last=TWO_YEARS.last), day=ALL_FINAL)


@pytest.mark.slow
def test_the_first_day_of_the_programme_may_move_within_its_quarter(world):
    base = children(30)
    world(base, policy=Policy(first=date(2006, 6, 15), last=TWO_YEARS.last), day=IN_SECOND_YEAR)
    for day in (IN_SECOND_YEAR, FIRST_YEAR_FINAL):
        world(base, policy=TWO_YEARS, day=day)
    world(base, policy=Policy(first=date(2006, 6, 15), last=TWO_YEARS.last), day=FIRST_YEAR_FINAL)


def test_the_first_month_of_the_year_stays_once_something_was_released(world, monkeypatch):
    """Years of another calendar overlap those that are public, so that children would be counted in both."""
    settings = {"plan": small_worlds.FEW_PLAN, "policy": TWO_YEARS}
    world.vault.records["encounter"] = children(30)
    other = small_worlds.MemoryVault(**world.vault.records)
    in_june, in_september = world.folder / "june", world.folder / "september"
    released = small_worlds.release(world.vault, in_june, day=IN_SECOND_YEAR, **settings)
    small_worlds.release(other, in_september, day=IN_SECOND_YEAR, first_month=9, **settings)
    monkeypatch.setattr(publishing, "read_records", raise_error)
    words = rf"{released.name} .* start_month = 6 .*workspace.toml.* new workspace"

    def release_again(folder):
        with pytest.raises(ReleaseError, match=words):
            small_worlds.release(world.vault, folder, first_month=9, day=ALL_FINAL, **settings)

    release_again(in_june)
    release_again(in_september)  # the vault knows, whatever lies in the folder of releases
    del world.vault.published["calendar"]
    release_again(in_june)  # vaults of earlier versions do not know


def raise_error(*_):
    raise AssertionError("records were read")


@pytest.mark.slow
@pytest.mark.parametrize(("day", "grain"), [(IN_SECOND_YEAR, "quarter"), (FIRST_YEAR_FINAL, "year")])
def test_a_table_that_is_added_later_does_not_tell_who_came_or_went(world, day, grain):
    """It has the noise of the other tables, so that the same children would show the same number again."""
    total, added = TableSpec("children", "region", grain), TableSpec("children", "region", grain, ("pathway",))
    yearly = TableSpec("children", "region", "year")
    world.vault.records["encounter"] = children(20)

    def read_cells(name, *partner):
        plan = {"partner": partner, "public": (yearly,)}
        release = small_worlds.release(world.vault, world.folder, plan=plan, policy=TWO_YEARS, day=day)
        return {cell: n for cell, n in numbers(world.folder, release.name).items() if cell[0] == name}

    before = read_cells(total.name, yearly, total)
    assert any(isinstance(n, int) for n in before.values())
    periods = {cell[2] for cell in before}
    for _again in range(2):
        after = read_cells(added.name, yearly, total, added)
        assert {n for cell, n in after.items() if cell[2] in periods} == {"withheld"}
    assert read_cells(total.name, yearly, total, added) == before


@pytest.mark.slow
def test_a_table_of_countries_that_is_added_later_does_not_tell_who_came_or_went(world):
    """Years and quarters of a country have one noise, so that children of one quarter would show the number again."""
    by_stage = [TableSpec("children", "country", grain, ("stage",)) for grain in ("year", "quarter")]
    yearly = TableSpec("children", "region", "year")
    world.vault.records["encounter"] = children(20)

    def read_states(spec, *partner):
        plan = {"partner": (yearly, *partner), "public": (yearly,)}
        release = small_worlds.release(world.vault, world.folder, plan=plan, policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
        cells = numbers(world.folder, release.name).items()
        return {n for cell, n in cells if cell[0] == spec.name and "2006-06-01" <= cell[2] < "2007-06-01"}

    assert any(isinstance(n, int) for n in read_states(by_stage[0], by_stage[0]))
    for _again in range(2):
        assert read_states(by_stage[1], *by_stage) == {"withheld"}
    other = TableSpec("children", "country", "quarter", ("pathway",))
    assert "withheld" not in read_states(other, *by_stage, other), "it has another noise"


def test_a_longer_lag_makes_no_final_year_provisional(world):
    world(children(30), policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
    with pytest.raises(ReleaseError, match="put last and lag in "):
        world(children(30), policy=replace(TWO_YEARS, lag=6), day=FIRST_YEAR_FINAL)


def test_the_last_day_of_the_programme_takes_no_number_back(world):
    world(children(30), policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
    with pytest.raises(ReleaseError, match="put last and lag in "):
        world(children(30), policy=small_worlds.ONE_YEAR, day=FIRST_YEAR_FINAL)


def test_the_whole_programme_is_drawn_once_even_if_the_programme_goes_on(world):
    """Two wholes with the same noise would be equal where no child was added, and so tell of one that was."""
    base = children(30)
    world(base, policy=small_worlds.ONE_YEAR, day=FIRST_YEAR_FINAL)
    for day in (FIRST_YEAR_FINAL, ALL_FINAL):
        with pytest.raises(ReleaseError, match="drawn a second time"):
            world(base, policy=TWO_YEARS, day=day)


@pytest.mark.slow
@pytest.mark.parametrize("public_too", [True, False])
@pytest.mark.parametrize("change", ["late", "forgotten", "moved"])
def test_who_comes_or_goes_after_a_year_is_final_is_in_no_number_of_the_whole_programme(tmp_path, change, public_too):
    """Before, the whole was a second draw: its difference from the years shifted by one for such a child."""
    levels, grains = ("country", "region", "municipality"), ("year", "whole")
    tables = [TableSpec("children", level, grain, by) for level in levels for grain in grains for by in ((), ("sex",))]
    public = [
        spec for spec in tables if spec.level != "municipality" and (spec.grain == "whole") == bool(spec.breakdown)
    ]
    yearly = [spec for spec in tables if spec.level == "region" and spec.grain == "year" and not spec.breakdown]
    wholes = [spec for spec in public if spec.grain == "whole"] if public_too else []
    plan = {"partner": tuple(tables), "public": (*yearly, *wholes)}
    base = small_worlds.encounters(np.random.default_rng(4), 300, 200, last="2008-05-31")
    early = base["date"] < "2007-06-01"
    later = {
        "late": pd.concat([base, children(4, 900)], ignore_index=True),
        "forgotten": base[~base["child"].isin(base["child"][early].unique()[:5])].reset_index(drop=True),
        "moved": base.assign(municipality=base["municipality"].where(~(early & (base.index % 9 == 0)), "101")),
    }[change]

    def end(folder, records):
        vault = small_worlds.MemoryVault(encounter=base)
        small_worlds.release(vault, folder, plan=plan, policy=TWO_YEARS, day=FIRST_YEAR_FINAL)
        vault.records["encounter"] = records
        name = small_worlds.release(vault, folder, plan=plan, policy=TWO_YEARS, day=ALL_FINAL).name
        return [numbers(folder, name, tier) for tier in ("partner", "public")]

    same, changed = end(tmp_path / "same", base), end(tmp_path / "changed", later)
    assert changed == same
    partner = same[0]
    assert sum(isinstance(number, int) for cell, number in partner.items() if "_whole" in cell[0]) > 5


def test_a_programme_that_ends_within_a_quarter_becomes_final(world):
    policy = Policy(last=date(2007, 5, 10))
    world(children(30), policy=policy, day=IN_SECOND_YEAR)
    final = world(children(30), policy=policy, day=FIRST_YEAR_FINAL)
    assert world(children(30), policy=policy, day=ALL_FINAL) == final
    assert Release.open(world.folder, "partner").manifest["tact"]["final"] is None


def test_published_numbers_stay_when_all_records_are_gone(world):
    base = children(30)
    first = world(base, tier="public")
    assert world(base.iloc[:0], tier="public") == first


IN_MUNICIPALITIES = tuple(TableSpec("children", "municipality", grain) for grain in ("quarter", "year", "whole"))
OF_PLACES = {
    "partner": (
        *IN_MUNICIPALITIES,
        TableSpec("children", "region", "year"),
        TableSpec("encounters", "municipality", "year"),
    ),
    "public": (TableSpec("children", "region", "year"),),
}


def place_numbers(folder, name):
    """Return the numbers and states of municipalities, by table, area and period."""
    return {cell: value for cell, value in numbers(folder, name).items() if "_municipality_" in cell[0]}


@pytest.mark.slow
def test_a_threshold_of_municipalities_that_comes_later_is_no_change(tmp_path):
    """A release shows all numbers; the next one those from 3 on, and no attack takes this for a change."""
    vault = small_worlds.MemoryVault(
        encounter=small_worlds.encounters(np.random.default_rng(4), 50, 40, last="2008-05-31")
    )
    before = small_worlds.release(
        vault, tmp_path, plan=OF_PLACES, policy=replace(TWO_YEARS, k_municipal=1), day=FIRST_YEAR_FINAL
    )
    after = small_worlds.release(vault, tmp_path, plan=OF_PLACES, policy=TWO_YEARS, day=ALL_FINAL)
    was, now = (place_numbers(tmp_path, release.name) for release in (before, after))
    final = {cell: value for cell, value in was.items() if cell[2] < "2007-06"}
    small = {cell for cell, value in final.items() if isinstance(value, int) and value < 3}
    assert small
    for cell, value in final.items():
        assert now[cell] in (("almost_none", "not_searched") if cell in small else (value,))
    assert min(value for value in now.values() if isinstance(value, int)) >= 3
    opened = [Release.open(tmp_path, "partner", release.name) for release in (before, after)]
    assert [r.find_threshold("municipality") for r in opened] == [1, 3]
    assert [r.find_reach("municipality", "year") for r in opened] == [5, 7]
    assert [r.find_reach("region", "year") for r in opened] == [5, 5]
    with pytest.raises(ReleaseError, match="k_municipal"):
        small_worlds.release(
            vault, tmp_path, plan=OF_PLACES, policy=replace(TWO_YEARS, k_municipal=2), day=date(2008, 10, 1)
        )


@pytest.mark.slow
def test_the_whole_programme_of_a_municipality_says_nothing_that_its_years_hide(tmp_path):
    vault = small_worlds.MemoryVault(
        encounter=small_worlds.encounters(np.random.default_rng(5), 50, 40, last="2008-05-31")
    )
    release = small_worlds.release(vault, tmp_path, plan=OF_PLACES, policy=TWO_YEARS, day=ALL_FINAL)
    cells, sums = place_numbers(tmp_path, release.name), {}
    for (table, area, _period), value in cells.items():
        if table == "children_municipality_year":
            sums[area] = sums.get(area, 0) + (value if isinstance(value, int) else 0)
    whole = {cell[1]: value for cell, value in cells.items() if cell[0] == "children_municipality_whole"}
    assert {area: value if isinstance(value, int) else 0 for area, value in whole.items()} == sums
    assert any(isinstance(value, int) for value in whole.values())


@pytest.mark.slow
@pytest.mark.parametrize(("k", "least", "most"), [(1, 8, 12), (3, 0, 8)])
def test_the_only_child_of_a_municipality_is_seldom_seen_over_a_provisional_and_a_final_release(
    tmp_path, k, least, most
):
    """Twelve programmes with the same children and other keys; a number above zero would prove the child."""
    seen, plan = 0, {"partner": OF_PLACES["partner"][:1], "public": ()}
    for key in range(12):
        vault = small_worlds.MemoryVault(encounter=children(1, key))
        folder, policy = tmp_path / str(key), replace(small_worlds.ONE_YEAR, k_municipal=k)
        released = [
            small_worlds.release(vault, folder, plan=plan, policy=policy, day=day)
            for day in (date(2006, 10, 1), date(2007, 9, 1))
        ]
        seen += any(isinstance(value, int) for r in released for value in place_numbers(folder, r.name).values())
    assert least <= seen <= most
