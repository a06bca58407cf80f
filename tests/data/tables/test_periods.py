import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.tables.periods import GRAINS, Calendar, Period
from tests.helpers.nonempty import nonempty

YEAR = Calendar(6)


@pytest.mark.parametrize(
    ("text", "start", "end", "grain", "label"),
    [
        ("2006-06-01/P1M", date(2006, 6, 1), date(2006, 6, 30), "month", "Jun 2006"),
        ("2006-06-01/P3M", date(2006, 6, 1), date(2006, 8, 31), "quarter", "Jun to Aug 2006"),
        ("2006-12-01/P3M", date(2006, 12, 1), date(2007, 2, 28), "quarter", "Dec 2006 to Feb 2007"),
        ("2007-06-01/P1Y", date(2007, 6, 1), date(2008, 5, 31), "year", "Jun 2007 to May 2008"),
        ("2023-01-01/P1Y", date(2023, 1, 1), date(2023, 12, 31), "year", "2023"),
        ("2006-06-01/2009-05-31", date(2006, 6, 1), date(2009, 5, 31), "whole", "Jun 2006 to May 2009"),
    ],
)
def test_an_identifier_says_all(text, start, end, grain, label):
    period = Period.parse(text)
    assert (period.start, period.end, period.grain, period.label, period.id) == (start, end, grain, label, text)


@pytest.mark.parametrize("text", ["", "2006", "2006-06-01", "2006-06-01/P2M", "2006-13-01/P1M", "x/y"])
def test_what_is_no_period_is_named(text):
    with pytest.raises(InputError, match="No period"):
        Period.parse(text)


def test_the_programme_has_twelve_quarters_from_june():
    quarters = YEAR.between(date(2006, 6, 1), date(2009, 5, 31), "quarter")
    assert len(quarters) == 12
    assert quarters[0].id == "2006-06-01/P3M"
    assert quarters[-1].end == date(2009, 5, 31)
    assert YEAR.whole(date(2006, 7, 4), date(2009, 4, 1)).id == "2006-06-01/2009-05-31"


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(1, 12))
def test_every_day_lies_in_one_period_of_each_grain_and_they_nest(day, month):
    calendar = Calendar(month)
    periods = [calendar.period(day, grain) for grain in GRAINS[:3]]
    for inner, outer in itertools.pairwise(periods):
        assert outer.contains(inner)
    for period in periods:
        assert period.start <= day <= period.end
        assert Period.parse(period.id) == period
    starts = calendar.starts(np.array([day], "datetime64[D]"), "year")
    assert starts[0].astype(object).month == month


@given(st.dates(date(2000, 1, 1), date(2010, 1, 1)), st.integers(0, 900))
def test_periods_between_two_days_join_without_a_gap(first, length):
    last = date.fromordinal(first.toordinal() + length)
    for grain in nonempty(GRAINS[:3]):
        periods = YEAR.between(first, last, grain)
        assert periods[0].start <= first
        assert periods[-1].start <= last <= periods[-1].end
        for period, later in itertools.pairwise(periods):
            assert later.start.toordinal() == period.end.toordinal() + 1
            assert period.next() == later
