"""Text that a spreadsheet shows and never executes."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.workspace.safe_text import escape_formula, escape_frame


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", "  =1", "＝1", "＋1", "－1"])
def test_text_that_could_run_gets_an_apostrophe(text):
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [("a;=1", "a;'=1"), ("provisional; @x", "provisional; '@x"), ('a; "-1', "a; \"'-1"), ("=1;＝2", "'=1;'＝2")],
)
def test_so_does_what_could_run_where_semicolons_part_cells(text, safe):
    assert escape_formula(text) == safe


@pytest.mark.parametrize(
    "text", ["a; b=c", "1;2", "", "plain", "1-2", "<img src=x onerror=alert(1)>", "a=b", "'=1", " text"]
)
def test_other_text_stays(text):
    assert escape_formula(text) == text


@given(st.text(max_size=20) | st.text(";= -\"'a", max_size=20))
def test_what_is_shown_never_begins_with_a_sign_and_is_not_changed_twice(text):
    safe = escape_formula(text)
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe.replace("'", "") == text.replace("'", "")
    assert not any(cell.lstrip(' "').startswith(("=", "+", "-", "@")) for cell in safe.split(";")[1:])
    assert escape_formula(safe) == safe


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_a_frame_is_made_safe_and_numbers_stay(dtype):
    frame = pd.DataFrame({"=a": pd.Series(["=1", "b", None], dtype=dtype), "n": [-1.0, 2.0, None]})
    safe = escape_frame(frame)
    assert list(safe.columns) == ["'=a", "n"]
    assert safe["'=a"].tolist()[:2] == ["'=1", "b"]
    assert pd.isna(safe["'=a"].tolist()[2])
    assert safe["n"].tolist()[:2] == [-1.0, 2.0]
    assert frame["=a"].tolist()[0] == "=1"
