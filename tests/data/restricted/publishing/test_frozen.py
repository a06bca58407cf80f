import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.policy import DEFAULT_POLICY
from data.errors import ReleaseError
from data.release import Release
from data.restricted.publishing.frozen import count_changed_children
from data.restricted.vault.blocks import Block
from tests.helpers import small_worlds

K = DEFAULT_POLICY.k
WHERE = {"date": "2006-07-01", "municipality": "101", "stage": "identified", "pathway": "internal"}


def children(count, first=0, **changes):
    row = small_worlds.encounters(np.random.default_rng(0), 1, 1).iloc[0].to_dict()
    base = {**row, "origin": "", "destination": "", **WHERE, **changes}
    return pd.DataFrame([{**base, "child": small_worlds.child(first + n)} for n in range(count)])


def numbers(folder, name, tier="partner"):
    """All counted cells of a release: the number, or the state where there is none."""
    found = {}
    release = Release.open(folder, tier, name)
    for table in release.tables:
        frame = release.table(table)
        if table != "figures":
            keys = [c for c in frame.columns if c not in ("value", "state", "margin")]
            shown = frame["value"].astype(object).where(frame["value"].notna(), frame["state"])
            cells = zip(*(frame[key].tolist() for key in keys), strict=True)
            found |= {(table, *cell): value for cell, value in zip(cells, shown.tolist(), strict=True)}
    return found


@pytest.fixture
def world(tmp_path):
    """Give a way to release a changing set of records again and again."""
    vault = small_worlds.MemoryVault()

    def publish(*frames, **changes):
        vault.records["encounter"] = pd.concat(frames, ignore_index=True)
        made = small_worlds.release(vault, tmp_path, **{"plan": small_worlds.SMALL_PLAN, **changes})
        return numbers(tmp_path, made.name)

    publish.vault, publish.folder = vault, tmp_path
    return publish


def test_the_same_records_give_the_same_numbers(world):
    base = small_worlds.encounters(np.random.default_rng(3), 400, 200)
    first, second = world(base), world(base.sample(frac=1, random_state=1))
    assert first == second


def test_a_release_says_whether_its_numbers_may_be_behind(world):
    for number in range(2):
        world(children(30))
        assert Release.open(world.folder, "public").behind == number * (K - 1)


def test_fewer_than_k_late_children_wait_and_k_let_all_change(world):
    base = children(30)
    first = world(base)
    for late in (1, 5, K - 1):
        assert first == world(base, children(late, 500))
    changed = world(base, children(K, 500))
    cell = ("children_country_quarter", "AL", "2006-06-01/P3M")
    assert changed[cell] >= 30 + K - 5 > 35 >= first[cell]


def test_many_who_are_met_again_do_not_let_the_one_who_is_new_show(world):
    base = children(40)
    again = children(K + 5).assign(date="2006-07-09")
    first, second = world(base), world(base, again, children(1, 500, stage="returning"))
    changed = {cell[0] for cell in first if first[cell] != second[cell]}
    assert changed
    assert all(table.startswith("encounters") for table in changed)


def test_a_forgotten_child_changes_nothing(world):
    base = children(40)
    first = world(base)
    assert first == world(base.iloc[1:])


def test_a_moved_or_corrected_child_changes_nothing(world):
    base = pd.concat([children(40), children(40, 100, municipality="201", stage="returning")], ignore_index=True)
    first = world(base)
    moved = base.copy()
    moved.loc[0, ["municipality", "stage", "sex"]] = ["201", "returning", "male"]
    assert first == world(moved)


def test_changes_add_up_over_releases_until_they_are_enough(world):
    base = children(40)
    first = world(base)
    for done in (4, 8):
        assert first == world(base.iloc[done:])
    assert first != world(base.iloc[K:])


def test_eleven_changes_of_one_child_are_one(world):
    base = children(40)
    first = world(base)
    more = [children(1, 0, date=f"2006-07-{d:02d}") for d in range(2, 20)]
    assert first == world(base, *more)


def test_a_new_period_is_shown_at_once_and_the_old_ones_stay(world):
    first = world(children(40))
    second = world(children(40), children(40, 100, date="2006-10-01"))
    old = [k for k in first if "2006-06-01/P3M" in k]
    assert len(old) > 100
    assert [first[k] for k in old] == [second[k] for k in old]
    assert second["children_municipality_quarter", "101", "2006-09-01/P3M"] >= 35


def test_the_whole_is_one_block_though_its_last_day_moves(world):
    first = world(children(40))
    second = world(children(40), children(3, 100, date="2006-10-01"))
    was = first[("children_municipality_whole", "101", "2006-06-01/2006-08-31")]
    assert second[("children_municipality_whole", "101", "2006-06-01/2006-11-30")] == was


def test_without_the_rule_a_single_child_changes_numbers(world):
    from data.disclosure.policy import Policy

    base = small_worlds.encounters(np.random.default_rng(3), 400, 200)
    loose = Policy(frozen=False)
    first = world(base, policy=loose)
    gone = [world(base[base["child"] != c], policy=loose) for c in base["child"].unique()[:4]]
    assert any(first != other for other in gone)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, K - 1), st.sampled_from(["late", "forgotten", "changed"]))
def test_a_published_number_is_repeated_while_fewer_than_k_children_change(tmp_path_factory, seed, count, how):
    rng = np.random.default_rng(seed)
    base = small_worlds.encounters(rng, 200, 120)
    chosen = rng.choice(base["child"].unique(), count, replace=False)
    touched = base["child"].isin(chosen)
    other = base.copy()
    if how == "forgotten":
        other = base[~touched]
    elif how == "changed":
        other.loc[touched, ["sex", "stage"]] = ["male", "recruited"]
    elif how == "late":
        base, other = base[~touched], base
    folder, vault = tmp_path_factory.mktemp("w"), small_worlds.MemoryVault()
    seen = []
    for frame in (base, other):
        vault.records["encounter"] = frame
        seen.append(numbers(folder, small_worlds.release(vault, folder, plan=small_worlds.SMALL_PLAN).name))
    common = seen[0].keys() & seen[1].keys()
    assert {k: seen[0][k] for k in common} == {k: seen[1][k] for k in common}
    assert len(common) > 500


# -- blocks --


@given(
    st.lists(st.integers(0, 2**63), unique=True), st.dictionaries(st.text(max_size=5), st.lists(st.integers(-9, 2**31)))
)
def test_a_block_comes_back_as_it_was(marks, values):
    block = Block(values, np.sort(np.array(marks, np.uint64)), {"partner": ["children/3"]})
    again = Block.decode(block.encode())
    assert again.values == values  # noqa: PD011 (a dict)
    assert (again.marks == block.marks).all()
    assert again.withheld == {"partner": ["children/3"]}


def test_a_block_costs_eight_bytes_a_child():
    marks = np.arange(1000, dtype=np.uint64)
    assert len(Block({"children": [990]}, marks).encode()) < 8 * 1000 + 60


def test_a_block_of_another_format_is_refused():
    with pytest.raises(ReleaseError, match=r"format 9, and this version reads 2\..*tact restore"):
        Block.decode(b"\x09" + Block({}, np.zeros(0, np.uint64)).encode()[1:])


def test_changes_are_counted_by_child():
    def marks(*pairs):
        return np.sort(np.array([(c << 24) | a for c, a in pairs], np.uint64))

    before = marks((1, 1), (2, 1), (3, 1))
    assert count_changed_children(before, before) == 0
    assert count_changed_children(before, marks((1, 1), (2, 1))) == 1
    assert count_changed_children(before, marks((1, 9), (2, 1), (3, 1))) == 1
    assert count_changed_children(before, marks((1, 9), (3, 1), (7, 1), (8, 1))) == 4
    assert count_changed_children(before, marks()) == 3
