"""Colours of layers: sequences from light to dark, and one diverging sequence.

Colours differ in lightness, so that colour-blind readers and readers of a print can distinguish them. No colour is
close to white (no data), the sea, or the circles that may be drawn on top.
"""

from __future__ import annotations

COUNTS = "#1B4B8F"
COVERAGE = ("#DDEFEC", "#B0D8D3", "#79B9B2", "#40938D", "#0F6B66")
# No gap (light and quiet), gap (dark and warm).
GAP = ("#B0D8D3", "#A8442A")
EFFORT = ("#E1E4E8", "#C3C8CF", "#9EA5AF", "#777F8B", "#505865")
POPULATION = ("#F1E9D8", "#DDCEAE", "#C3AE83", "#A18A5C", "#75623B")
# RISKS is for numbers, RISK for claims on a rate: low, below, not high, average, not low, above, high, very high.
RISKS = ("#FBEBC8", "#F3C98B", "#E59A5C", "#C4603B", "#7E2A2A")
RISK = ("#FBEBC8", "#F6D8A5", "#F1C284", "#E9A769", "#DC8953", "#C96840", "#A64934", "#7E2A2A")
# Falling, less, not rising, the same, not falling, more, rising: blue and red differ in lightness too.
CHANGE = ("#7FA8CF", "#A9C4DE", "#CFDBE4", "#E6E0D3", "#E6CDBB", "#D99A7C", "#A8442A")
# From less to more of something good: brown and teal differ in lightness too.
GAIN = ("#A6611A", "#DDBE8C", "#ECEAE4", "#8CC5BE", "#0F6B66")
VIOLET = ("#CFC3E6", "#B3A0D8", "#957BC6", "#7757AF", "#583792")


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def choose_colours(sequence: tuple[str, ...], classes: int) -> tuple[str, ...]:
    """Return one colour per class, spread over the whole sequence; a single class gets the middle colour."""
    if classes <= 1:
        return (sequence[len(sequence) // 2],) * classes
    return tuple(_between(sequence, i * (len(sequence) - 1) / (classes - 1)) for i in range(classes))


def _between(sequence: tuple[str, ...], place: float) -> str:
    first = min(int(place), len(sequence) - 2)
    pairs = zip(_channels(sequence[first]), _channels(sequence[first + 1]), strict=True)
    mixed = (round(a + (b - a) * (place - first)) for a, b in pairs)
    return "#" + "".join(f"{channel:02X}" for channel in mixed)
