"""The map of a plan, its frontier, who is served and when, on the Reallocate page."""

import re
from dataclasses import replace

import pytest

from dashboard.narrative.moves import count_left
from dashboard.pages.reallocate import frontier, map, planner, summary
from geo.layers.communities import CAUTION
from risk.planning.inputs import Setting
from tests.helpers.reallocate_page import HOSTILE, bodies, name, plan_of, read_words, way, widget


def advise(plan):
    """Return a plan as if its verdict was to make the moves; arrows are drawn for no other."""
    return replace(plan, verdict=replace(plan.verdict, answer="do"))


def test_the_map_shows_need_met_and_an_arrow_for_each_way(current):
    plan = advise(plan_of(current))
    ways = {way(move)[:2] for move in plan.moves}
    arrows = map.draw_arrows(current, plan)
    assert len(arrows) == len(ways)
    assert all(arrow.start != arrow.end and arrow.width > 0 for arrow in arrows)
    (row,) = [row for row in plan.coverage if row.area == "AL-11"]
    for view in (map.TODAY, map.PLANNED):
        value = map.describe_layer(current, plan, view).data.frame["value"]
        assert value["AL-11"] == round(100 * getattr(row, view) / row.need)
    layer = map.describe_layer(current, plan, map.DIFFERENCE)
    assert layer.data.frame["value"]["AL-11"] == round(100 * (row.planned - row.today) / row.need, 1)
    classes, changes = layer.data.classes(), layer.data.frame["value"].dropna()
    assert (classes[changes[changes >= 5].index] == 4).all()
    assert (classes[changes[changes.abs() < 0.5].index] == 2).all()
    bounds = layer.data.frame.head(6).assign(value=[-5.0, -4.9, -0.5, 0.5, 4.9, 5.0], state="number")
    assert list(replace(layer.data, frame=bounds).classes()) == [0, 1, 1, 3, 3, 4]
    assert map.describe_view(current, plan, map.TODAY) != map.describe_view(current, plan, map.PLANNED)
    assert "arrows:[" not in map.describe_view(current, replace(plan, moves=()), map.TODAY)


def test_an_arrow_to_an_archipelago_points_at_the_island(current):
    plan = advise(plan_of(current))
    islands = [replace(plan, moves=(replace(plan.moves[0], end=end),)) for end in ("GR-L/9296", "GR-L/9284")]
    (rhodes,), (kos,) = (map.draw_arrows(current, plan) for plan in islands)
    assert rhodes.label.endswith("Rhodes (South Aegean)")
    assert rhodes.end == pytest.approx((36.2, 28.0), abs=0.3)
    assert kos.end == pytest.approx((36.8, 27.1), abs=0.3)


def test_an_arrow_has_the_numbers_of_its_cards(run, current):
    plan = advise(plan_of(current))
    signs = {arrow.label: arrow.sign for arrow in map.draw_arrows(current, plan)}
    for number, move in enumerate(plan.moves, 1):
        (sign,) = [sign for label, sign in signs.items() if name(current, move) in label.split("; ")]
        assert str(number) in sign.split(", ")
    assert re.findall(r'class="number">(\d+)<', bodies(run())) == [str(n + 1) for n in range(len(plan.moves))]


def test_arrows_are_wider_where_more_units_go_and_their_words_are_escaped(current):
    plan = advise(plan_of(current))
    first, other = plan.moves[:2]
    changed = replace(plan, moves=(other, replace(first, units=5, kind=HOSTILE)))
    wide, narrow = map.draw_arrows(current, changed)
    assert wide.width > narrow.width
    assert HOSTILE in wide.label
    assert "<img" not in map.describe_view(current, changed, map.TODAY)


@pytest.mark.long
def test_the_frontier_shows_every_point_and_which_are_advised(current, run):
    points = planner.compute_frontier(current, "", Setting(), ())
    rows = frontier.tabulate_points(points)
    assert rows["gain"].is_monotonic_increasing or len(rows) < 3
    assert list(rows["advised"]) == [point.recommended for point in points][: len(rows)]
    table = frontier.tabulate_words(planner.speak(current), points)
    assert list(table["Units that move"]) == [str(moved) for moved in rows["moved"]]
    chart = frontier.draw_frontier(points, "moved", plan_of(current).verdict).to_dict()
    assert len(chart["layer"]) == 4
    test = run()
    assert not (test.get("arrow_vega_lite_chart"))
    assert not (test.get("vega_lite_chart"))
    widget(test.toggle, "Show the gain of more").set_value(True).run()
    assert all(gain in read_words(test) for gain in table.iloc[:, 2])
    assert len(test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")) == 2


def test_who_is_served_is_shown_by_group_with_what_it_does_not_mean(run, current):
    plan, t = plan_of(current), planner.speak(current)
    table = summary.tabulate_groups(t, plan)
    assert len(table) == len(plan.equity)
    assert {"Albania", "Greece"} <= set(table["Where"])
    test = run()
    assert any(CAUTION in caption.value for caption in test.caption)
    areas = summary.tabulate_areas(t, plan, {})
    assert len(areas) == len(plan.coverage)
    moved = {code for move in plan.moves for code in way(move)[:2]}
    assert areas["Units"].str.contains("→").sum() <= len(moved)


def test_no_layer_of_communities_comes_near_the_map_of_a_plan(current):
    for view in map.VIEWS:
        assert "hatch" not in map.describe_view(current, plan_of(current), view)


@pytest.mark.slow
def test_quarters_hold_every_move_of_the_plan(run, current):
    plan, t = plan_of(current, Setting(per_quarter=2)), planner.speak(current)
    table = summary.tabulate_quarters(t, plan)
    assert list(table["When"])[:2] == ["Quarter 1", "Quarter 2"]
    moved = sum(step.units for quarter in plan.phases for step in quarter.moves)
    left = sum(step.units for step in plan.left)
    assert moved + left == plan.verdict.moved
    assert (str(left) in count_left(t, plan)) is bool(left)
    first = plan.phases[0].moves[0]
    assert name(current, first) in table["Moves"][0]
    assert name(current, first) in read_words(run(pace="2"))
