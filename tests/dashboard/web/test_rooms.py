"""The rooms of meetings: who shows what to whom, and when a room ends."""

import pytest

from dashboard.site.reader import EVERYBODY, NOBODY
from dashboard.web.rooms import MOST_LINES, MOST_ROOMS, Line, Rooms, clean_pointer, clean_view, identify_window

PAGES = {"", "map", "risk"}
HOUR = 3600.0


@pytest.fixture
def now():
    return [1000.0]


@pytest.fixture
def rooms(now):
    return Rooms(lambda: now[0])


def make_line(number, reader=EVERYBODY, *, may_present=True):
    return Line(identify_window(f"{number:032x}"), reader, may_present)


@pytest.fixture
def meeting(rooms):
    """Return a room with its presenter and two members."""
    lines = [make_line(number) for number in range(3)]
    room = rooms.open(lines[0].member, "")
    assert all(room.join(line) for line in lines)
    return room, *lines


def describe(room, line, may_see=lambda reader, view: True):
    line.allowed = (room.view, room.view is not None and may_see(line.reader, room.view))
    return room.describe(line)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("map?layer=risk&area=AL-02", "map?layer=risk&area=AL-02"),
        ("map?lang=sq&layer=risk&theme=dark&projector=1&meeting=x&token=y", "map?layer=risk"),
        ("", ""),
        ("?area=AL-02", "?area=AL-02"),
        ("map?period=2008-03-01/P3M&at=41,20,8", "map?period=2008-03-01%2FP3M&at=41%2C20%2C8"),
        ("desk", None),
        ("picture/map.png", None),
        ("//evil.example/map", None),
        ("https://evil.example/map", None),
        ("javascript:alert(1)", None),
        ("../map", None),
        ("map#x", None),
        ("map?<b>=1", None),
        ("map?note=" + "x" * 301, None),
        ("map?" + "&".join(f"a{number}=1" for number in range(61)), None),
        ("map?area=" + "x" * 2000, None),
        (None, None),
        (["map"], None),
    ],
)
def test_a_view_is_a_page_of_the_product_without_what_belongs_to_a_reader_alone(text, view):
    assert clean_view(text, PAGES) == view


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ([41.123456, 20], (41.1235, 20.0)),
        (None, None),
        ([41], None),
        ([91, 20], None),
        (["41", "20"], None),
        ([float("nan"), 20], None),
        ([41, float("-inf")], None),
        ([41, 180.5], None),
        ([10**400, 20], None),
        ([True, 20], None),
    ],
)
def test_a_pointer_is_a_place_on_earth(place, pointer):
    assert clean_pointer(place) == pointer


def test_the_last_view_is_shown_to_everybody_and_to_who_comes_late(meeting):
    room, presenter, first, second = meeting
    room.hear(presenter, {"view": "map?area=AL-02"}, PAGES)
    room.hear(presenter, {"view": "risk?area=AL-11", "pointer": [41, 20]}, PAGES)
    late = make_line(9)
    room.join(late)
    for line in (first, second, late):
        state = describe(room, line)
        assert (state["view"], state["pointer"], state["presents"]) == ("risk?area=AL-11", (41.0, 20.0), False)
        assert line.news.is_set()
    assert describe(room, presenter)["presents"]
    assert [member["number"] for member in describe(room, presenter)["members"]] == [2, 3, 4]


def test_only_the_presenter_shows_hands_over_and_ends(meeting):
    room, presenter, first, _second = meeting
    room.hear(presenter, {"view": "map"}, PAGES)
    room.hear(first, {"view": "risk", "hand_over": 2, "end": True, "take": True}, PAGES)
    assert describe(room, first)["view"] == "map"
    assert describe(room, presenter)["presents"]
    # And nothing from the presenter that is no view of the product.
    room.hear(presenter, {"view": "https://evil.example/"}, PAGES)
    assert describe(room, first)["view"] == "map"


def test_the_presenter_hands_over_and_then_only_the_other_shows(meeting):
    room, presenter, first, second = meeting
    room.hear(presenter, {"view": "map"}, PAGES)
    room.hear(presenter, {"hand_over": 3}, PAGES)
    assert [describe(room, line)["presents"] for line in (presenter, first, second)] == [False, False, True]
    room.hear(presenter, {"view": "risk"}, PAGES)
    assert describe(room, first)["view"] == "map"
    room.hear(second, {"view": "risk"}, PAGES)
    assert describe(room, presenter)["view"] == "risk"


def test_nobody_is_appointed_who_may_not_present(rooms):
    presenter, guest = make_line(1), make_line(2, NOBODY, may_present=False)
    room = rooms.open(presenter.member, "")
    room.join(presenter)
    room.join(guest)
    room.hear(presenter, {"hand_over": 2}, PAGES)
    assert describe(room, presenter)["presents"]


def test_the_window_of_the_presenter_alone_does_not_present(meeting, now):
    room, presenter, first, _second = meeting
    room.hear(presenter, {"view": "map"}, PAGES)
    # The presenter signs out, and a guest signs in, in the same window.
    room.leave(presenter)
    guest = make_line(0, NOBODY, may_present=False)
    room.join(guest)
    state = describe(room, guest)
    assert (state["presents"], state["here"], "members" in state) == (False, False, False)
    room.hear(guest, {"view": "risk", "hand_over": 2, "end": True, "take": True}, PAGES)
    assert describe(room, first)["view"] == "map"
    assert not describe(room, first)["presents"]
    # To the others the presenter is away, so that one of them can step in.
    now[0] += 61
    room.hear(first, {"take": True}, PAGES)
    assert {member["number"] for member in describe(room, first)["members"]} == {1, 3}


def test_a_view_that_a_member_may_not_see_is_not_given_to_them(meeting):
    room, presenter, first, second = meeting
    room.hear(presenter, {"view": "risk?area=AL-02", "pointer": [41, 20]}, PAGES)
    first.reader = NOBODY
    state = describe(room, first, lambda reader, view: reader is EVERYBODY)
    assert (state["view"], state["pointer"], state["closed"]) == (None, None, True)
    assert describe(room, second, lambda reader, view: reader is EVERYBODY)["view"] == "risk?area=AL-02"
    # The next view is asked for anew.
    room.hear(presenter, {"view": "map"}, PAGES)
    assert describe(room, first, lambda reader, view: view == "map")["view"] == "map"


def test_a_member_steps_in_only_when_the_presenter_has_been_gone_for_a_minute(meeting, now):
    room, presenter, first, _second = meeting
    room.hear(presenter, {"view": "map"}, PAGES)
    room.leave(presenter)
    assert not describe(room, first)["here"]
    now[0] += 59
    room.hear(first, {"take": True}, PAGES)
    assert not describe(room, first)["may_take"]
    assert not describe(room, first)["presents"]
    now[0] += 2
    assert describe(room, first)["may_take"]
    room.hear(first, {"take": True}, PAGES)
    assert describe(room, first)["presents"]
    # Who presented before is a member when they come back, with the same number.
    room.join(presenter)
    assert (describe(room, presenter)["presents"], describe(room, presenter)["you"]) == (False, 1)


def test_a_presenter_whose_line_broke_still_presents(meeting):
    room, presenter, first, _second = meeting
    room.leave(presenter)
    again = make_line(0)
    room.join(again)
    assert describe(room, again)["presents"]
    room.hear(again, {"view": "risk"}, PAGES)
    assert describe(room, first)["view"] == "risk"


def test_a_room_ends_after_twelve_hours_without_news_or_when_the_presenter_ends_it(rooms, meeting, now):
    room, presenter, first, _second = meeting
    now[0] += 11 * HOUR
    room.hear(presenter, {"view": "map"}, PAGES)
    now[0] += 11 * HOUR
    assert rooms.find(room.code) is room
    now[0] += 1.1 * HOUR
    assert rooms.find(room.code) is None
    assert describe(room, first) == {"ended": True}
    other = rooms.open(presenter.member, "")
    other.join(presenter)
    other.hear(presenter, {"end": True}, PAGES)
    assert rooms.find(other.code) is None


def test_a_room_ends_ten_minutes_after_its_last_line(rooms, meeting, now):
    room, presenter, first, second = meeting
    now[0] += HOUR
    for line in (first, second, presenter):
        room.leave(line)
    now[0] += 599
    assert rooms.find(room.code) is room
    room.join(presenter)
    now[0] += HOUR
    assert rooms.find(room.code) is room
    room.leave(presenter)
    now[0] += 601
    assert rooms.find(room.code) is None
    # Nor does one that nobody entered count for longer.
    opened = [rooms.open(presenter.member, "192.0.2.7") for _ in range(10)]
    assert all(opened)
    now[0] += 601
    assert rooms.open(presenter.member, "192.0.2.7")


def test_codes_are_long_and_typed_ones_are_found(rooms):
    codes = {rooms.open(identify_window("0" * 32), "").code for _ in range(50)}
    assert len(codes) == 50
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    code = codes.pop()
    assert rooms.find(f" {code.upper()} ").code == code
    assert rooms.find("abcd-abcd-abcd-abcd") is None
    assert rooms.find(None) is None


def test_rooms_and_members_are_bounded_and_an_empty_room_makes_place(rooms):
    presenter = make_line(1)
    opened = [rooms.open(presenter.member, "") for _ in range(MOST_ROOMS)]
    for room in opened[1:]:
        room.join(make_line(2))
    assert rooms.open(presenter.member, "") is not None
    assert rooms.find(opened[0].code) is None
    full = opened[1]
    while len(full.lines) < MOST_LINES:
        assert full.join(make_line(len(full.lines) + 10))
    assert not full.join(make_line(5))


def test_where_somebody_is_in_each_room_there_is_no_further_one(rooms):
    for _ in range(MOST_ROOMS):
        rooms.open(identify_window("1" * 32), "").join(make_line(2))
    assert rooms.open(identify_window("1" * 32), "") is None


def test_one_network_address_opens_ten_rooms_at_most(rooms):
    assert all(rooms.open(identify_window("1" * 32), "192.0.2.7") for _ in range(10))
    assert rooms.open(identify_window("1" * 32), "192.0.2.7") is None
    assert rooms.open(identify_window("1" * 32), "192.0.2.8")


@pytest.mark.parametrize("secret", [None, "", "0" * 31, "0" * 33, "G" * 32, 5, ["0" * 32]])
def test_what_is_no_secret_of_a_window_is_none(secret):
    assert identify_window(secret) is None
