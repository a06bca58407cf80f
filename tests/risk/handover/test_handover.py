"""Hand-over: as much as possible, never more than fits, and a reason for each task that stays."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import FileRefused, InputError
from data.release import Release
from data.workspace.small_tables import read_rows
from geo import areas as geography
from risk.access import Supply
from risk.handover import estimate_capacity, hand_over
from risk.handover.files import CAPACITY, TASKS, parse_capacity, parse_tasks
from risk.handover.tasks import AXES, DUTY_BEARERS, QUARTERS, USUAL, Capacity, HandOver, Task

AREAS = ("AL-05", "AL-11")


def read_tasks(path):
    return parse_tasks(read_rows(path, TASKS), AREAS)


def read_capacity(path):
    return parse_capacity(read_rows(path, CAPACITY), AREAS)


def room(numbers_by_bearer, areas=AREAS, at_least=False):
    """Return capacity from {(area, duty bearer): four numbers}."""
    children = np.zeros((len(areas), len(DUTY_BEARERS), QUARTERS), np.int64)
    for (area, bearer), numbers in numbers_by_bearer.items():
        children[areas.index(area), DUTY_BEARERS.index(bearer)] = numbers
    return Capacity(areas, children, np.full(children.shape[:2], at_least))


def task(children, to="school", area="AL-05", partner="Arsis", axis="prevention", start=1):
    return Task(area, partner, axis, children, tuple(to.split(";")), start)


def used(handover, areas=AREAS):
    """Count the children whom each duty bearer serves in each quarter, in plain loops."""
    total = np.zeros((len(areas), len(DUTY_BEARERS), QUARTERS), np.int64)
    for entry in handover.over:
        for quarter in range(entry.quarter, QUARTERS + 1):
            total[areas.index(entry.task.area), DUTY_BEARERS.index(entry.to), quarter - 1] += entry.task.children
    return total


def worth(handover):
    return sum(entry.task.children * (QUARTERS - entry.quarter + 1) for entry in handover.over)


def best(tasks, capacity):
    """Compute the best value by trying every hand-over."""
    ways = [
        [None, *itertools.product(t.to, range(t.from_quarter, QUARTERS + 1))] if t.children else [None] for t in tasks
    ]
    most = 0
    for chosen in itertools.product(*ways):
        over = tuple(HandOver(t, *way) for t, way in zip(tasks, chosen, strict=True) if way)
        handover = type("Handover", (), {"over": over})
        if (used(handover) <= capacity.children).all():
            most = max(most, worth(handover))
    return most


tasks_of = st.lists(
    st.builds(
        Task,
        st.sampled_from(AREAS),
        st.sampled_from(["Arsis", "BKTF"]),
        st.sampled_from(AXES),
        st.integers(0, 30),
        st.lists(st.sampled_from(["school", "state"]), min_size=1, max_size=2, unique=True).map(tuple),
        st.integers(1, QUARTERS),
    ),
    max_size=3,
)
numbers = st.lists(st.integers(0, 50), min_size=QUARTERS, max_size=QUARTERS)
capacities = st.fixed_dictionaries({(a, b): numbers for a in AREAS for b in ("school", "state")}).map(room)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(tasks_of, capacities)
def test_it_is_the_best_of_all_and_never_exceeds_the_room(tasks, capacity):
    handover = hand_over(tasks, capacity)
    assert (used(handover) <= capacity.children).all()
    assert worth(handover) == best(tasks, capacity)
    assert handover.proven
    assert all(entry.to in entry.task.to and entry.quarter >= entry.task.from_quarter for entry in handover.over)
    everything = [entry.task for entry in handover.over] + [entry.task for entry in handover.stays]
    assert sorted(everything, key=repr) == sorted(tasks, key=repr)
    assert all(entry.why for entry in handover.stays)


@pytest.mark.long
@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_many_tasks_never_exceed_the_room_and_their_rows_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    tasks = [
        Task(
            AREAS[rng.integers(2)], f"partner {rng.integers(5)}", AXES[rng.integers(5)],
            int(rng.integers(1, 40)), USUAL[AXES[rng.integers(5)]], int(rng.integers(1, 5)),
        )
        for _ in range(24)
    ]  # fmt: skip
    children = rng.integers(0, 90, (2, len(DUTY_BEARERS), QUARTERS))
    capacity = Capacity(AREAS, children, np.zeros(children.shape[:2], bool))
    handover = hand_over(tasks, capacity)
    assert (used(handover) <= children).all()
    order = rng.permutation(len(tasks))
    assert hand_over([tasks[row] for row in order], capacity) == handover


def test_it_goes_over_as_early_as_there_is_room_that_lasts():
    capacity = room({("AL-05", "school"): [30, 10, 30, 30]})
    (entry,) = hand_over([task(20)], capacity).over
    assert (entry.to, entry.quarter) == ("school", 3)
    (entry,) = hand_over([task(10, start=2)], capacity).over
    assert entry.quarter == 2


def test_first_choices_of_first_tasks_where_it_makes_no_difference():
    capacity = room({("AL-05", "school"): [20] * 4, ("AL-05", "state"): [20] * 4})
    (entry,) = hand_over([task(20, "state;school")], capacity).over
    assert entry.to == "state"
    both = [task(20, partner="BKTF"), task(20, partner="Arsis")]
    handover = hand_over(both, capacity)
    assert [entry.task.partner for entry in handover.over] == ["Arsis"]
    assert [entry.task.partner for entry in handover.stays] == ["BKTF"]
    two = hand_over([task(20), task(10, partner="B"), task(10, partner="C")], capacity)
    assert [entry.task.partner for entry in two.over] == ["B", "C"]  # as many children, and two tasks


def test_what_stays_says_why():
    capacity = room({("AL-05", "school"): [12, 30, 12, 15], ("AL-05", "state"): [9] * 4})
    (stay,) = hand_over([task(20, "school;state")], capacity).stays
    assert (stay.why, stay.room, stay.at_least) == ("no_room", 15, False)
    (stay,) = hand_over([task(20, area="AL-11")], room({}, at_least=True)).stays
    assert (stay.why, stay.room, stay.at_least) == ("no_room", 0, True)
    (stay,) = hand_over([task(9, "state"), task(8, "state")], capacity).stays
    assert stay.task.children == 8
    assert (stay.why, stay.room) == ("room_taken", 9)


def _file(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_tasks_are_read_with_the_usual_duty_bearers_where_none_is_named(tmp_path):
    path = _file(
        tmp_path,
        "area,partner,axis,children,to,from_quarter\n"
        "AL-05,Arsis,prevention,20,,\n"
        "AL-11,BKTF,protection,8,state; municipality ;state,3\n",
    )
    assert read_tasks(path) == (
        Task("AL-05", "Arsis", "prevention", 20, USUAL["prevention"]),
        Task("AL-11", "BKTF", "protection", 8, ("state", "municipality"), 3),
    )
    without = _file(tmp_path, "area,partner,axis,children,to\nAL-05,Arsis,coordination,1,school\n")
    assert read_tasks(without)[0].from_quarter == 1
    assert set(USUAL) == set(AXES)
    assert all(set(usual) <= set(DUTY_BEARERS) for usual in USUAL.values())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("XX,Arsis,prevention,20,,", "row 2: 'XX' in column area: not a county"),
        ("AL-05,,prevention,20,,", "row 2: column partner is empty"),
        ("AL-05,Arsis,fun,20,,", "row 2: 'fun' in column axis: not an axis. Write one of prevention"),
        ("AL-05,Arsis,prevention,many,,", "row 2: 'many' in column children"),
        ("AL-05,Arsis,prevention,0,,", "row 2: '0' in column children"),
        ("AL-05,Arsis,prevention,20,school;king,", "row 2: 'king' in column to is not a duty bearer"),
        ("AL-05,Arsis,prevention,20,,5", "row 2: '5' in column from_quarter .* from 1 to 4"),
        ("AL-05,Arsis,prevention,20,,\nAL-05,Arsis,prevention,9,,2", "row 3: this task .* is already in row 2"),
    ],
)
def test_a_faulty_task_is_named_with_its_remedy(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        read_tasks(_file(tmp_path, f"area,partner,axis,children,to,from_quarter\n{row}\n"))


def test_room_is_read_and_what_is_not_there_is_none(tmp_path):
    path = _file(tmp_path, "area,duty_bearer,quarter,children\nAL-05,school,2,30\nAL-05,school,3,0\n")
    capacity = read_capacity(path)
    np.testing.assert_array_equal(capacity.children, room({("AL-05", "school"): [0, 30, 0, 0]}).children)
    assert not capacity.at_least.any()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("XX,school,1,3", "row 2: 'XX' in column area"),
        ("AL-05,king,1,3", "row 2: 'king' in column duty_bearer: not a duty bearer"),
        ("AL-05,school,0,3", "row 2: '0' in column quarter"),
        ("AL-05,school,1,-3", "row 2: '-3' in column children"),
        ("AL-05,school,1,3\nAL-05,school,1,4", "row 3: this spare capacity is already in row 2"),
    ],
)
def test_faulty_room_is_named_with_its_remedy(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        read_capacity(_file(tmp_path, f"area,duty_bearer,quarter,children\n{row}\n"))


def test_other_tables_are_refused(tmp_path):
    with pytest.raises(FileRefused, match="no column partner, axis"):
        read_tasks(_file(tmp_path, "area,children,to\n"))
    with pytest.raises(FileRefused, match="no column duty_bearer"):
        read_capacity(_file(tmp_path, "area,quarter,children\n"))


def test_tasks_and_room_that_cannot_be_are_refused():
    for wrong in ({"to": ()}, {"to": ("king",)}, {"children": -1}, {"from_quarter": 5}):
        with pytest.raises(InputError, match="No task in AL-05"):
            replace(task(3), **wrong)
    with pytest.raises(InputError, match="Spare capacity has shape"):
        Capacity(AREAS, np.zeros((1, 6, 4), np.int64), np.zeros((1, 6), bool))
    with pytest.raises(InputError, match="'GR-A'"):
        hand_over([task(3, area="GR-A")], room({}))
    assert hand_over([], room({})).over == ()


def test_room_of_a_release_is_a_share_of_its_places(demo_world):
    release = Release.open(demo_world / "releases", "partner")
    codes = tuple(str(c) for c in geography.read_areas(release.areas_file).frame("region").index)
    half = estimate_capacity(release, codes, 0.5)
    for column, bearer in enumerate(DUTY_BEARERS):
        shown = Supply.from_release(release, codes, by="duty_bearer", category=bearer)
        for quarter in range(QUARTERS):
            np.testing.assert_array_equal(half.children[:, column, quarter], shown.amount // 2)
    assert half.at_least.all(), "places of protection, return and reintegration are not among them"
    assert half.children.sum() > 0
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="ask the duty bearers for it"):
            estimate_capacity(release, codes, wrong)
