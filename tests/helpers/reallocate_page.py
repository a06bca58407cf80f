"""Functions for the tests of the Reallocate page: to show it, to read it, and to make plans and decisions."""

import re
from html import unescape

from dashboard.narrative.moves import word_move
from dashboard.pages.reallocate import cards, planner
from risk.planning import saved
from risk.planning.inputs import Setting
from risk.planning.summary import Author

HOSTILE = "<img src=x onerror=alert(1)>"
NO_SHARE = Setting(exploration=0.0)  # few moves may be too few for the share of under-searched areas
MANAGER = Author("programme manager", "2026-11-25")


def page():
    from dashboard.pages import reallocate

    reallocate.show()


def bodies(test):
    return " ".join(element.proto.body for element in test.get("html"))


def read_words(test):
    """Return the words of a page, with the rules and decisions, which are buttons that remove them."""
    chips = (re.sub(r"\\(.)", r"\1", button.label) for button in test.button if button.label.endswith(" ×"))
    return " ".join([unescape(re.sub(r"<[^>]+>", " ", bodies(test))), *chips])


def widget(kind, label, *, exact=False):
    (match,) = [item for item in kind if (item.label == label if exact else item.label.startswith(label))]
    return match


def plan_of(current, setting=None, decisions=(), posts=""):
    return planner.compute_plan(current, posts, setting or Setting(), tuple(decisions), MANAGER, title="A plan")


def way(move):
    return move.start, move.end, move.kind


def name(current, move):
    return word_move(planner.speak(current), move)


def list_saved(derived, current):
    return saved.list_saved_plans([derived], current.release).plans


def decide(test, words, reason="", move=0):
    test.button(key=f"offer-{move}-{words}").click().run()
    if words != "accept":
        test.text_input(key="decide-reason").set_value(reason)
        (button,) = [item for item in test.button if item.label == cards._MEANING[words]]
        button.click().run()
    assert not test.exception
