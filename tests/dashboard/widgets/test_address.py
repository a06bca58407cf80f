"""Choices in menus: each can be chosen, also where two have the same words."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.widgets.address import tell_apart


def test_choices_with_the_same_text_get_a_number_and_the_oldest_keeps_its_text():
    words = {"": "A new meeting", "c": "Both", "b": "One", "a": "Both", "0": "Both (2)"}
    assert tell_apart(words) == {"": "A new meeting", "c": "Both (3)", "b": "One", "a": "Both", "0": "Both (2)"}


def decide():
    """A form that asks for a plan, as beside a view of an agenda, and a menu of meetings."""
    import streamlit as st

    from dashboard.web.agenda import decisions
    from dashboard.widgets.address import pick_from_menu

    words = {"": "None", "new": "Change nothing", "old": "Change nothing"}
    with st.form("form"):
        decisions._choose("Saved plan", words, "new", "plan")
        st.form_submit_button("Save", on_click=lambda: st.session_state.update(saved=st.session_state.plan))
    pick_from_menu("agenda", "Meeting", words, "new")


@pytest.mark.parametrize("chosen", ["new", "old"])
def test_the_plan_and_the_meeting_that_are_chosen_are_taken(chosen):
    test = AppTest.from_function(decide, default_timeout=60)
    test.query_params["agenda"] = chosen
    test.run()
    test.selectbox(key="plan").set_value(chosen)
    test.button[0].click().run()
    assert test.session_state["saved"] == chosen
    assert test.query_params["agenda"] == chosen


def rank():
    """A menu whose texts have a language."""
    import streamlit as st

    from dashboard.site.text import _, speak
    from dashboard.widgets.address import pick_from_menu

    with speak(st.query_params.get("lang", "en")):
        words = {"unmet": _("Rank by need not reached"), "name": _("By name")}
        st.text(pick_from_menu("rank", "Rank by", words, "unmet"))


@pytest.mark.parametrize(
    ("chosen", "written"), [("unmet", "Rendit sipas nevojës së pambuluar"), ("name", "Sipas emrit")]
)
def test_the_choice_that_a_menu_shows_follows_the_language(chosen, written):
    test = AppTest.from_function(rank, default_timeout=60)
    test.run().selectbox(key="pick-rank").set_value(chosen).run()
    test.query_params["lang"] = "sq"
    menu = test.run().selectbox(key="pick-rank")
    assert (menu.proto.set_value, menu.proto.raw_value) == (True, written)
    assert test.text[0].value == chosen
    assert not test.run().selectbox(key="pick-rank").proto.set_value
