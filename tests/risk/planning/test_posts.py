"""Tables of posts: they are read as a person meant them, or the message names the row and the remedy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FileRefused, InputError
from risk.planning import posts
from risk.planning.posts import PostsTable
from risk.planning.problem import Kind

AREAS = ("AL-02", "AL-11", "GR-I")
HEAD = ",".join(posts.COLUMNS)


def parsed(*lines, head=HEAD):
    return posts.parse_posts("posts.csv", "\n".join((head, *lines)), AREAS)


@st.composite
def tables(draw):
    kinds = (Kind("team", draw(st.sampled_from([0.5, 2.6, 12.0])), search=True), Kind("day centre", 8.0))
    whole = st.integers(0, 9)
    units = np.array(draw(st.lists(st.tuples(whole, whole), min_size=3, max_size=3)), np.int64)
    committed = np.minimum(units, draw(whole))
    room = units.sum(axis=1) + draw(st.integers(0, 50))
    return PostsTable(AREAS, kinds, units, committed, np.minimum(room, max(int(units.sum()), 0)))


@given(tables())
def test_what_is_written_is_read_back(table):
    again = posts.parse_posts("p", posts.write_posts(table), AREAS)
    assert again.kinds == table.kinds
    for name in ("units", "committed", "room"):
        assert (getattr(again, name) == getattr(table, name)).all()


def test_areas_without_a_row_have_none_and_empty_cells_mean_no_limit():
    table = parsed("AL-11,team,yes,4,2.5,,", "GR-I,centre,no,1,10,1,3")
    assert table.units.tolist() == [[0, 0], [4, 0], [0, 1]]
    assert table.committed.tolist() == [[0, 0], [0, 0], [0, 1]]
    assert table.room.tolist() == [5, 5, 3]
    assert [kind.search for kind in table.kinds] == [True, False]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("XX-1,team,yes,4,2.5,,", "row 2: 'XX-1' in column area: not an area of the plan"),
        ("AL-11,,yes,4,2.5,,", "column kind must name"),
        ("AL-11,team,perhaps,4,2.5,,", "searches must be yes or no"),
        ("AL-11,team,yes,-4,2.5,,", "'-4' in column units is not a valid number. Write a whole number"),
        ("AL-11,team,yes,4,0,,", "'0' in column children"),
        ("AL-11,team,yes,4,nan,,", "'nan' in column children"),
        ("AL-11,team,yes,4,2.5,5,", "column committed is larger"),
        ("AL-11,team,yes,4,2.5,,3", "AL-11 has more units than column room"),
        ("AL-11,team,yes,4,2.5,,\nAL-11,team,yes,1,2.5,,", "row 3: 'team' in AL-11 is in the table twice"),
        ("AL-11,team,yes,4,2.5,,\nAL-02,team,no,1,2.5,,", "row 3: searches or children of 'team' differ"),
        ("", "has no post"),
    ],
)
def test_a_wrong_row_is_named_with_its_remedy(line, message):
    with pytest.raises(InputError, match=message):
        parsed(line)


def test_a_table_without_its_columns_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="has no column searches, units, children"):
        parsed("AL-11,team", head="area,kind")
    (tmp_path / "posts.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileRefused, match="CSV in UTF-8"):
        posts.read_posts(tmp_path / "posts.csv", AREAS)
