"""Colours differ in lightness, so that everybody can distinguish them, and none is close to white."""

from itertools import pairwise

import pytest

from geo.layers import LAYERS
from geo.layers.core import palette
from geo.layers.core.palette import choose_colours


def compute_luminance(colour):
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


SEQUENCES = [palette.COVERAGE, palette.EFFORT, palette.POPULATION, palette.RISKS, palette.VIOLET]


def test_a_gap_is_darker_than_none_and_reads_on_the_page():
    none, gap = map(compute_luminance, palette.GAP)
    assert (none + 0.05) / (gap + 0.05) > 3


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6, 7])
def test_lightness_falls_from_class_to_class(sequence, classes):
    luminances = [compute_luminance(colour) for colour in choose_colours(sequence, classes)]
    assert luminances == sorted(luminances, reverse=True)
    assert all((a + 0.05) / (b + 0.05) > 1.15 for a, b in pairwise(luminances))


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_darkest_class_stands_out_from_the_page(sequence):
    assert (compute_luminance("#FBFAF7") + 0.05) / (compute_luminance(sequence[-1]) + 0.05) >= 4.5


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_no_class_is_white(sequence):
    assert compute_luminance(sequence[0]) < 0.87


def test_coverage_ends_in_the_accent_and_circles_take_their_token():
    assert palette.COVERAGE[-1] == "#0F6B66"
    assert palette.COUNTS == "#1B4B8F"


def test_lightness_is_that_of_the_standard():
    assert compute_luminance("#FFFFFF") == pytest.approx(1)
    assert compute_luminance("#000000") == 0


def test_only_circles_and_hatches_show_people_met_and_communities():
    kinds = {layer.id: layer.kind for layer in LAYERS}
    assert kinds["encounters"] == "circle"
    assert kinds["communities"] == kinds["roma_figures"] == "hatch"


def test_classes_of_risk_darken_and_change_parts_in_the_middle():
    luminances = [compute_luminance(colour) for colour in palette.RISK]
    assert luminances == sorted(luminances, reverse=True)
    assert all((a + 0.05) / (b + 0.05) > 1.15 for a, b in pairwise(luminances))
    falling, steady, rising = (compute_luminance(palette.CHANGE[i]) for i in (0, 3, 6))
    assert rising < falling < steady
    assert (falling + 0.05) / (rising + 0.05) > 1.15
