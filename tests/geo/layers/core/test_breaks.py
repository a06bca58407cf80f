"""Breaks are rounded, few and increasing; every value has a class and no class is empty."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.layers.core import Style
from geo.layers.core.breaks import (
    choose_breaks,
    choose_circle_marks,
    format_classes,
    list_published_ranges,
    list_round_numbers,
)

COUNTS = st.lists(st.integers(0, 5_000_000), min_size=1, max_size=80)
SHARES = st.lists(st.floats(0.001, 100), min_size=1, max_size=60)


def significant(number: float) -> int:
    """Return the number of significant digits of a number."""
    digits = f"{number:.12g}".replace(".", "").replace("-", "").split("e")[0].strip("0")
    return max(1, len(digits))


@given(values=COUNTS | SHARES)
def test_breaks_are_few_increasing_and_cover_all_values(values):
    breaks = choose_breaks(values)
    assert len(breaks) < 5
    assert list(breaks) == sorted(set(breaks))
    counted = np.bincount(np.searchsorted(breaks, values, side="right"), minlength=len(breaks) + 1)
    assert counted.sum() == len(values)
    assert (counted > 0).all() or not any(values)


@given(values=COUNTS)
def test_breaks_of_counts_are_rounded(values):
    spread = max(values) - min(v for v in values if v) if any(values) else 0
    breaks = choose_breaks(values)
    assert len(breaks) or len({*values} - {0}) < 2
    for bound in breaks:
        one_two_or_five = f"{bound:e}"[0] in "125" and significant(bound) == 1
        assert one_two_or_five or significant(bound) <= 1 + math.ceil(math.log10(max(values) / max(spread / 50, 1)))


@given(values=COUNTS)
def test_zero_has_a_class_of_its_own(values):
    breaks = choose_breaks([0, *values])
    if any(values):
        assert 0 < breaks[0] <= min(v for v in values if v)


@given(values=COUNTS, order=st.randoms())
def test_breaks_do_not_depend_on_the_order(values, order):
    mixed = list(values)
    order.shuffle(mixed)
    assert choose_breaks(values) == choose_breaks(mixed)


@given(values=COUNTS)
def test_there_is_a_label_for_each_class(values):
    breaks = choose_breaks(values)
    assert len(format_classes(breaks, whole=True)) == len(breaks) + 1
    assert len(set(format_classes(breaks, whole=True))) == len(breaks) + 1


def test_labels_read_as_people_write():
    assert format_classes((1, 5, 20), whole=True) == ("0", "1 to 4", "5 to 19", "20 or more")
    assert format_classes((100_000, 200_000), whole=True) == ("under 100,000", "100,000 to 200,000", "200,000 or more")
    assert format_classes((0.2, 0.5), whole=False, sign=" %") == ("under 0.2 %", "0.2 to 0.5 %", "0.5 % or more")
    assert format_classes((), whole=True) == ("all values",)


def test_no_values_no_breaks():
    assert choose_breaks([]) == ()
    assert choose_breaks([float("nan")]) == ()
    assert choose_breaks([0, 0]) == ()


def test_the_sequence():
    assert list_round_numbers(1, 100) == [2, 5, 10, 20, 50, 100]
    assert list_round_numbers(0.1, 1) == [0.2, 0.5, 1]


def test_published_classes_become_breaks_and_labels():
    low = np.array([0.0, 1.0, 50.0, 1000.0, np.nan])
    high = np.array([0.0, 49.0, 199.0, np.nan, np.nan])
    assert list_published_ranges(low, high) == ((1, 50, 1000), ("0", "1 to 49", "50 to 199", "at least 1,000"))


@given(values=st.lists(st.integers(1, 100_000), min_size=2, max_size=30))
def test_area_of_a_circle_is_proportional_to_its_value(values):
    style = Style("circle", (), (), largest=float(max(values)))
    areas = [style.radius(v) ** 2 for v in values]
    assert areas == pytest.approx([v * areas[0] / values[0] for v in values])
    assert style.radius(max(values)) == pytest.approx(22)


def test_no_circle_without_a_value():
    assert Style("circle", (), (), largest=0).radius(0) == 0
    assert Style("circle", (), (), largest=10).radius(0) == 0


def test_no_mark_is_smaller_than_what_may_be_shown():
    assert choose_circle_marks(1, 150) == (5, 20, 100)
    assert choose_circle_marks(11, 150) == (20, 100)
    assert choose_circle_marks(11, 14) == (14,)


@given(largest=st.integers(1, 10**6), share=st.floats(0, 0.1))
def test_marks_of_circles_are_rounded_and_apart(largest, share):
    marks = choose_circle_marks(share * largest, largest)
    assert 1 <= len(marks) <= 3
    assert share * largest <= marks[0]
    assert marks[-1] <= largest
    assert all(f"{m:e}"[0] in "125" and m >= 1 for m in marks)
    assert all(b / a >= 4 for a, b in pairwise(marks))
