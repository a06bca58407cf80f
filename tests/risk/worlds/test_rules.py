"""Every invented world keeps the rules of the schema and of the programme."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.reference import area_table
from data.schema.column import MANY
from data.schema.kinds import KINDS
from tests.helpers.invented_worlds import make_world


def check(invented_world):
    """Check the properties that every world must have."""
    frame, child = invented_world.records["encounter"], invented_world.truth.child
    assert len(frame) == len(child)
    assert (np.unique(child) == np.arange(child.max() + 1 if len(child) else 0)).all()
    for kind, records in invented_world.records.items():
        check_schema(kind, records)
    check_effort(invented_world)
    if len(frame):
        check_children(frame, child)


def check_schema(kind, records):
    columns = {column.name: column for column in KINDS[kind].file_columns}
    assert set(records.columns) <= set(columns)
    missing = set(columns) - set(records.columns)
    assert not {name for name in missing if columns[name].required}
    assert not records.isna().to_numpy().any()
    codes = set(area_table().index)
    for name in records.columns:
        column, values = columns[name], set(records[name].astype("object").unique())
        if column.required:
            assert "" not in values
        if column.type == "category":
            listed = {code for text in values - {""} for code in (text.split(MANY) if column.many else [text])}
            assert listed <= set(column.allowed)
        if column.type == "area":
            assert values - {""} <= codes
    plain = records.astype({n: "str" for n in records.columns if not columns[n].numeric})
    for rule in KINDS[kind].rules:
        assert not rule.broken(plain).any(), rule.reason


def check_effort(invented_world):
    """Check that every discovered child was met where and when outreach is recorded."""
    effort, frame = invented_world.records["effort"], invented_world.records["encounter"]
    length = np.where(effort["span"] == "week", 7, 1)
    start = effort["date"].astype("str").to_numpy().astype("datetime64[D]").astype(int)
    assert ((start + 3) % 7 == 0)[length == 7].all()
    places = effort["municipality"].astype("str").to_numpy()
    searched = {
        (place, day)
        for place, first, days in zip(places, start, length, strict=True)
        for day in range(first, first + days)
    }
    discoveries = frame[frame["found"] == "discovered"]
    days = discoveries["date"].astype("str").to_numpy().astype("datetime64[D]").astype(int)
    asked = set(zip(discoveries["municipality"].astype("str"), days.tolist(), strict=True))
    assert asked <= {(place, int(day)) for place, day in searched}
    last = invented_world.parameters.quarter_starts[-1] + pd.DateOffset(months=3)
    for dates in (frame["date"], effort["date"]):
        if len(dates):
            assert str(dates.astype("str").min()) >= f"{invented_world.parameters.quarter_starts[0]:%Y-%m-%d}"
            assert str(dates.astype("str").max()) < f"{last:%Y-%m-%d}"


def functional(frame, key, value):
    """Return whether each key has only one value."""
    return not frame[[key, value]].drop_duplicates().duplicated(key).any()


def check_children(frame, child):
    assert frame["date"].astype("str").is_monotonic_increasing
    stages = list(KINDS["encounter"].column("stage").allowed)
    by_child = pd.DataFrame(
        {
            "child": child,
            "stage": frame["stage"].astype("str").map(stages.index).to_numpy(),
            "date": frame["date"].astype("str").to_numpy(),
            "number": frame["programme_number"].astype("str").to_numpy(),
            "who": (frame["partner"].astype("str") + " " + frame["child_id"].astype("str")).to_numpy(),
            "partner": frame["partner"].astype("str").to_numpy(),
        }
    )
    groups = by_child.groupby("child")
    assert groups.size().max() <= 8
    assert (groups["stage"].diff().dropna() >= 0).all()
    assert not by_child.duplicated(["child", "date"]).any()
    # One identifier for a child at a partner, one child for an identifier, one number for a child.
    assert functional(by_child, "who", "child")
    assert by_child[["who", "child", "partner"]].drop_duplicates().duplicated(["child", "partner"]).sum() == 0
    assert functional(by_child, "child", "number")
    assert functional(by_child[by_child["number"] != ""], "number", "child")
    records = frame["record_number"][frame["record_number"] != ""]
    assert records.is_unique


def test_the_default_world_keeps_all_rules(default):
    check(default)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    children=st.integers(1, 300),
    quarters=st.integers(1, 14),
    start=st.sampled_from(["2006-06", "2019-01", "2004-02"]),
    gamma=st.floats(0.2, 1.5),
    follow=st.floats(0.0, 1.0),
    reported=st.floats(0.0, 1.0),
    log_sd=st.floats(0.0, 2.0),
    at_risk=st.floats(0.0, 1.0),
    days=st.floats(1.0, 2000.0),
    signal=st.booleans(),
)
def test_every_world_keeps_all_rules(
    seed, children, quarters, start, gamma, follow, reported, log_sd, at_risk, days, signal
):
    invented_world = make_world(
        seed=seed,
        children=children,
        quarters=quarters,
        start=start,
        gamma=gamma,
        effort_follows_finds=follow,
        reported_share=reported,
        log_sd=log_sd,
        at_risk_share=at_risk,
        effort_days=days,
        signal=signal,
    )
    check(invented_world)
    need = invented_world.truth.need
    assert (need[["need", "reported", "discovered", "days"]] >= 0).all().all()
    assert (need["reported"] + need["discovered"] <= 0.9 * need["need"] + 1e-9).all()


@pytest.mark.long
def test_a_million_children_are_told_apart():
    invented_world = make_world(children=1_050_000)
    frame, child = invented_world.records["encounter"], invented_world.truth.child
    assert child.max() + 1 > 1_000_000
    who = frame["partner"].cat.codes.to_numpy().astype(np.int64) * 10**8 + child
    assert len(np.unique(who)) == frame["child_id"].nunique()
    numbered = (frame["programme_number"] != "").to_numpy()
    assert frame["programme_number"][numbered].nunique() == len(np.unique(child[numbered]))
