"""The sentence on internal trafficking in a city, with its power in words, in every language."""

import pytest

from dashboard.narrative.shift import word_shift
from dashboard.narrative.speech import LANGUAGES, Speech
from geo import areas as geography
from risk.report.shift import AreaShift

YEARS = ("2006-06-01", "2009-05-31")


def word(language="en", **options):
    values = {"before": 20.0, "after": 31.0, "low": -14.0, "high": 35.0, "probability": 0.88, "verdict": "unclear"}
    shift = AreaShift(options.pop("areas", ("AL-02",)), **{**values, **options})
    return word_shift(Speech(language, geography.load_areas()), shift, YEARS).replace("\u00a0", " ")


def test_with_few_children_the_power_is_said():
    assert word(power=24.0) == (
        "Durrës: it is not sure enough that the share of internal trafficking changed (20 % in the year that began on "
        "1 June 2006, 31 % in the year that ended on 31 May 2009; 95 % interval of the difference: −14 to +35 "
        "percentage points; chance of a rise: 88 %). With so few children, a rise of 20 percentage points would be "
        "seen in 24 of 100 cases."
    )


def test_with_many_children_they_are_not_called_few_and_clear_changes_need_no_power():
    assert word(power=95.0).endswith(". A rise of 20 percentage points would be seen in 95 of 100 cases.")
    assert "cases" not in word(power=None)
    rise = word(verdict="rose", power=40.0, areas=("AL-02", "AL-11"))
    assert rise.startswith("Durrës and Tirana together: the share of internal trafficking rose from 20 % in")
    assert "cases" not in rise
    assert " fell from 20 % " in word(verdict="fell")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_numbers(language):
    sentence = word(language, power=24.0)
    assert all(number in sentence for number in ("20", "31", "14", "35", "88", "24", "100", "2006", "2009"))
