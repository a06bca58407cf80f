"""Hand-over to duty bearers on the Reallocate page."""

import pytest

from dashboard.pages.reallocate import handover, planner
from data.errors import FileRefused, InputError
from risk.handover import Tables
from tests.helpers.reallocate_page import bodies, list_saved, read_words, widget

TASKS = b"area,partner,axis,children,to\nAL-11,A <b>partner</b>,prevention,12,school\nAL-02,B,protection,9,state\n"


ROOM = b"area,duty_bearer,quarter,children\n" + b"".join(b"AL-11,school,%d,20\n" % q for q in range(1, 5))


@pytest.mark.slow
@pytest.mark.usefixtures("no_frontier")
def test_what_goes_over_and_what_stays_is_told_kept_and_brought_back(run, current, derived):
    tables = handover.read_tables(TASKS, ROOM, 0.0)
    (stay,) = planner.hand_over_tasks(current, tables).stays
    reason = planner.speak(current).name_reason(stay.why)
    test = run(state={"plan-handed": tables})
    text = read_words(test)
    assert "A <b>partner</b>" in text
    assert "<b>partner" not in bodies(test)
    assert reason in text
    test.text_input(key="keep-title").set_value("With hand-over")
    widget(test.button, "Save this plan").click().run()
    (saved_plan,) = list_saved(derived, current)
    assert [task.to for task in saved_plan.summary.handover] == ["school"]
    again = run(plan=saved_plan.address)
    assert reason in read_words(again)
    widget(again.button, "Remove the hand-over").click().run()
    assert reason not in read_words(again)


def test_without_a_table_of_room_the_free_share_of_places_counts(current):
    assert planner.hand_over_tasks(current, handover.read_tables(TASKS, None, 0.0)).over == ()
    assert planner.hand_over_tasks(current, Tables()) is None
    with pytest.raises(InputError, match="row 2"):
        planner.hand_over_tasks(current, handover.read_tables(TASKS.replace(b"prevention", b"dancing"), ROOM, 0.0))
    with pytest.raises(InputError, match="needs the spare capacity of duty bearers"):
        handover.read_tables(TASKS, None, None)
    with pytest.raises(FileRefused, match="UTF-8"):
        handover.read_tables(b"\xff\xfe", ROOM, 0.0)
