"""The data sent to the map: compact, in the order of the shapes, and safe inside a script."""

import ast
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import streamlit
from hypothesis import given
from hypothesis import strategies as st

from dashboard import map as live_map
from dashboard.map import values
from dashboard.map.marks import make_mark
from dashboard.pages.situation.headline import Where, read_headline
from data.tables.states import STATES
from geo.layers.core import LayerData, Legend, Style

TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), max_size=60)


@given(TEXT)
def test_text_in_a_script_is_the_same_text_and_never_markup(text):
    written = values.write_literal(text)
    assert ast.literal_eval(written) == text
    assert not set(written[1:-1]) & set("<>&'`{}\u2028\u2029\n")


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.lists(TEXT | st.integers() | st.booleans() | st.none())))
def test_structures_keep_their_form(value):
    written = values.write_literal(value)
    python = re.sub(r"(?<=[{,])([ab]):", r"'\1':", written) if written != "{}" else written
    words = {"true": "True", "false": "False", "null": "None"}
    for word, name in words.items():
        python = re.sub(rf"(?<=[\[,:]){word}(?=[\],}}])", name, python)
    assert ast.literal_eval(python) == value


def test_no_number_that_is_none_reaches_a_script():
    with pytest.raises(ValueError, match="Out of range"):
        values.write_literal(float("nan"))


def layer(kind, values, states, margins=None, low=None):
    codes = [f"c{i}" for i in range(len(values))]
    nan = [np.nan] * len(values)
    frame = pd.DataFrame(
        {"value": values, "state": states, "margin": margins or nan, "low": low or nan, "high": nan}, index=codes
    )
    style = Style(kind, (10.0, 20.0), ("#111111", "#222222", "#333333"), ("a", "b", "c"), 40.0)
    return LayerData(frame, style, Legend("t", "u", "p", "s"), True), codes


def described(kind, *columns):
    data, codes = layer(kind, *columns)
    words = {state: state for state in STATES}
    return live_map.describe_layer(live_map.Mark(data, "t", "u", ("a", "b", "c"), words), codes)


def field(text, name):
    values = re.findall(rf"[{{,]{name}:'([^']*)'", text)
    return values[-1] if values else ""


def test_marks_are_classes_and_states_and_values_stand_for_classes_only():
    nan = np.nan
    text = described(
        "fill", [5, nan, 15, nan, 25], ["number", "few", "number", "not_searched", "number"], [5, nan, 5, nan, 5]
    )
    assert field(text, "s") == "0f1s2"
    assert field(text, "v") == "5,15,25"
    assert field(text, "m") == "5"
    assert "words:{f:'few',s:'not_searched'}" in text


def test_margins_that_differ_come_one_by_one_and_runs_are_shortened():
    text = described("circle", [1.0] * 5 + [2.5], ["number"] * 6, [1, 2, 3, 4, 5, 6])
    assert field(text, "s") == "0(6)"
    assert field(text, "v") == "1(5),2.5"
    assert field(text, "m") == "1,2,3,4,5,6"
    assert "largest:40.0" in text


def test_a_published_zero_that_is_adjusted_keeps_its_words():
    nan = np.nan
    data, codes = layer("circle", [1, 7, nan], ["almost_none", "number", "almost_none"], [6, 5, nan])
    mark = make_mark(data, "region", SimpleNamespace(k=11, find_threshold={"region": 1, "municipality": 3}.get))
    text = live_map.describe_layer(mark, codes)
    assert values.encode_cells(data, codes)["s"] == "00a"
    assert field(text, "zeros") == "a--"
    assert f"a:{live_map.write_literal('none or almost none; adjusted: {number}')}" in text
    assert "adjusted" not in described("circle", [7], ["number"], [5])
    shown = replace(data, frame=data.frame.assign(year=nan, source="", note=""))
    where = Where("c0", "A place", replace(mark, data=shown))
    assert (read_headline(where).text, read_headline(where).margin) == ("1", "±6")
    assert read_headline(where).note.startswith("published: none or almost none; adjusted")
    assert [read_headline(replace(where, code=code)).note for code in ("c1", "c2")] == ["", ""]
    below = make_mark(data, "municipality", SimpleNamespace(k=11, find_threshold={"municipality": 3}.get))
    assert below.words["almost_none"] == "fewer than 3, possibly none"
    assert below.words["not_searched"] == mark.words["not_searched"]


def test_a_published_class_has_a_mark_and_no_value():
    nan = np.nan
    text = described("hatch", [nan] * 3, ["class", "class", "no_data"], [nan] * 3, [10, 25, nan])
    assert field(text, "s") == "12d"
    assert "v:" not in text


def test_an_area_that_the_layer_does_not_know_has_no_data():
    data, codes = layer("fill", [5.0], ["number"])
    mark = live_map.Mark(data, "t", "u", (), {state: state for state in STATES})
    assert field(live_map.describe_layer(mark, [*codes, "other"]), "s") == "0d"


@pytest.mark.parametrize("state", [s for s in STATES if s not in {"number", "class"}])
def test_every_state_has_a_mark_of_its_own(state):
    text = described("fill", [np.nan], [state])
    assert field(text, "s").isalpha()


def test_the_id_changes_with_anything_that_is_shown():
    asked = [(["x"], "region", "p1"), (["x"], "region", "p2"), (["y"], "region", "p1"), (["x"], "region", "p1", "AL")]
    shown = [
        live_map.describe_map(*arguments, projector=projector) for arguments in asked for projector in (False, True)
    ]
    assert len({re.search(r"id:'(\w+)'", description).group(1) for description in shown}) == len(shown)


@pytest.mark.parametrize(
    "value", [None, {}, {"last_clicked": None}, {"last_clicked": {"lat": "x", "lng": 1}}, {"last_clicked": 3}]
)
def test_a_click_that_is_none_is_none(value, monkeypatch):
    monkeypatch.setattr(streamlit, "session_state", {live_map.KEY: value})
    assert live_map.read_clicked_place() is None


def test_a_click_is_latitude_and_longitude(monkeypatch):
    monkeypatch.setattr(streamlit, "session_state", {live_map.KEY: {"last_clicked": {"lat": 41, "lng": 19.5}}})
    assert live_map.read_clicked_place() == (41.0, 19.5)


def test_arrows_go_with_their_words_made_safe_and_are_left_out_where_there_are_none():
    arrow = live_map.Arrow((41.3, 19.8), (40.6, 20.8), 3.456, "2 × <b>team</b>")
    text = live_map.describe_map(["x"], "region", arrows=[arrow])
    assert "arrows:[{from:[41.3,19.8],to:[40.6,20.8],width:3.46,label:'2 × \\u003cb\\u003eteam" in text
    assert "<" not in text
    assert "arrows" not in live_map.describe_map(["x"], "region")
