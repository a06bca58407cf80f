"""The values of a view for the map: layers, states and arrows as short JavaScript literals, without a map library."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from geo.layers.core import LayerData

_LONG = 4
_DIGITS = 6  # decimals; the search for leaks compares numbers with as many
STATE_CODES = {
    "few": "f",
    "almost_none": "a",
    "not_searched": "s",
    "structural_zero": "z",
    "no_data": "d",
    "no_figure": "g",
    "withheld": "w",
    "cannot_tell": "c",
}


@dataclass(frozen=True)
class Mark:
    """A layer as the map needs it: its data, and its words in one language.

    words : for each state. adjusted : for each state of a published zero, with {number} for the adjusted number.
    """

    data: LayerData
    title: str
    unit: str
    labels: tuple[str, ...]
    words: Mapping[str, str]
    most: float = 22.0  # pixels: the radius of the largest circle
    adjusted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrow:
    """An arrow between two points on the map.

    start, end : latitude and longitude in degrees; if both are equal, the arrow is a loop. width : in pixels. label :
    its tooltip. colour : empty for the colour of text. sign : a number in the middle of the arrow; empty for none.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    width: float
    label: str
    colour: str = ""
    sign: str = ""


def write_literal(value: object) -> str:
    """Return a value as a JavaScript literal that is safe in a script: without markup and line separators.

    Texts are in single quotes and names in none, because the literal is sent inside JSON, where each double quote costs
    two characters. Raises ValueError for NaN or infinity.
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{write_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write_literal, value)) + "]"
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, str):
        return text
    for character in "<>&'`{}\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"'{text[1:-1]}'"


def _format_number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")


def _shorten_runs(parts: Iterable[str]) -> list[str]:
    """Return the parts; a run of four or more equal parts becomes one part with their number, such as "x(4)"."""
    shortened: list[str] = []
    for part, same in groupby(parts):
        count = len(list(same))
        shortened += [f"{part}({count})"] if count >= _LONG else [part] * count
    return shortened


def _format_column(numbers: Iterable[float]) -> str:
    """Return numbers as text, separated by commas; a missing number is empty, and runs of equal ones are shortened.

    The text is empty if all numbers are missing.
    """
    texts = [_format_number(number) for number in numbers]
    return ",".join(_shorten_runs(texts)) if any(texts) else ""


def _format_codes(data: LayerData, frame: pd.DataFrame, codes: list[str]) -> str:
    """Return a character for each area: its class as a digit, or the letter of its state. Runs are shortened."""
    classes = data.classes().reindex(codes).fillna(0).clip(lower=0).astype(int)
    marks = zip(frame["state"].tolist(), classes.tolist(), strict=True)
    return "".join(_shorten_runs(STATE_CODES.get(state) or str(class_index) for state, class_index in marks))


def list_states(data: LayerData, codes: list[str]) -> pd.DataFrame:
    """Return the layer's rows in the order of `codes`; the column state has the state in which the area is drawn."""
    frame = data.frame.assign(state=data.list_marks()).reindex(codes)
    return frame.assign(state=frame["state"].fillna("no_data"))


def encode_cells(data: LayerData, codes: list[str], *, bounds: bool = False) -> dict[str, str]:
    """Return the numbers and states of a layer as short texts, in the order of `codes`.

    `s` has a character for each area (a digit: its class, a letter: its state). `v` has the values of the areas with a
    digit, and `m` one margin for all or a margin for each value, separated by commas. With `bounds`, `low` and `high`
    have the ends of the classes, in the form of `v`. In all texts a run of equal parts is shortened, such as "x(4)".
    """
    frame = list_states(data, codes)
    numbers = frame[["value", "margin", "low", "high"]].to_numpy(float)
    value, margin, low, high = numbers[~frame["state"].isin(STATE_CODES).to_numpy()].T.tolist()
    known = numbers[~np.isnan(numbers[:, 0]), 1]
    same = len(np.unique(known)) == 1  # also if all margins are missing
    margins = _format_number(float(known[0])) if same else _format_column(margin)
    cells = {"s": _format_codes(data, frame, codes), "v": _format_column(value), "m": margins}
    return cells | ({"low": _format_column(low), "high": _format_column(high)} if bounds else {})


def describe_layer(mark: Mark, codes: list[str], *, titled: bool = True) -> str:
    """Return a layer for the map as a JavaScript literal; see `encode_cells`. titled : whether it has its title."""
    style = mark.data.style
    present = set(list_states(mark.data, codes)["state"])
    zeros = mark.data.frame["state"].where(mark.data.find_adjusted_zeros()).reindex(codes).map(STATE_CODES).fillna("-")
    described: dict[str, Any] = {
        "kind": style.kind,
        "title": mark.title if titled else "",
        "unit": mark.unit,
        "colours": list(style.colours),
        "labels": "" if style.kind == "circle" else list(mark.labels),
        "words": {code: mark.words[state] for state, code in STATE_CODES.items() if state in present},
        **encode_cells(mark.data, codes),
    }
    if any(zeros != "-"):
        # Only the words that occur: each change of the map sends them.
        adjusted = {
            STATE_CODES[state]: words for state, words in mark.adjusted.items() if STATE_CODES[state] in set(zeros)
        }
        described |= {"zeros": "".join(_shorten_runs(zeros)), "adjusted": adjusted}
    if style.kind == "circle":
        described |= {"largest": style.largest, "most": round(mark.most, 1)}
    return write_literal({name: value for name, value in described.items() if value != ""})


def describe_map(
    layers: Sequence[str],
    level: str,
    period: str = "",
    selected: str = "",
    *,
    projector: bool = False,
    arrows: Sequence[Arrow] = (),
) -> str:
    """Return a view for the map as a JavaScript literal. Its `id` changes with the period and with every value.

    layers : the results of `describe_layer`. selected : the code of the chosen area; empty for none.
    """
    values = f"level:{write_literal(level)},layers:[{','.join(layers)}]"
    values += f",selected:{write_literal(selected)}" if selected else ""
    values += ",projector:true" if projector else ""
    values += f",arrows:{write_literal([_describe_arrow(arrow) for arrow in arrows])}" if arrows else ""
    digest = hashlib.sha256(f"{period}{values}".encode()).hexdigest()[:8]
    return f"{{id:{write_literal(digest)},{values}}}"


def _describe_arrow(arrow: Arrow) -> dict[str, Any]:
    described = {"from": arrow.start, "to": arrow.end, "width": round(arrow.width, 2), "label": arrow.label}
    optional = {"colour": arrow.colour, "sign": arrow.sign}
    return described | {name: value for name, value in optional.items() if value}
