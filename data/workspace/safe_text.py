"""Text that a spreadsheet never runs as a formula.

A cell that begins with = + - @, a tab or a line end can be run as a formula when a file is opened (CSV
injection). A leading apostrophe makes it text. Signs after blanks and full-width signs are treated in the
same way, because some spreadsheets ignore the difference. So is a sign after a semicolon: in Albania and
Greece, where the comma is the decimal sign, a spreadsheet splits the cells of a CSV there.
"""

from __future__ import annotations

import re

import pandas as pd

_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BLANKS = ("\t", "\r", "\n")
_PARTED = re.compile(rf'(;[\s"]*)(?=[{re.escape("".join(_SIGNS))}])')


def escape_formula(text: str) -> str:
    """Return a text with an apostrophe before each part that a spreadsheet could run as a formula."""
    if ";" in text:
        text = _PARTED.sub(r"\1'", text)
    if text.startswith(_BLANKS) or text.lstrip().startswith(_SIGNS):
        return f"'{text}"
    return text


def escape_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of a frame in which every text, column name and category is safe; its index is unchanged."""
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == object or isinstance(safe[name].dtype, (pd.StringDtype, pd.CategoricalDtype)):
            values = safe[name].astype("object").tolist()
            escaped = {text: escape_formula(text) for text in {v for v in values if isinstance(v, str)}}
            safe[name] = [escaped[v] if isinstance(v, str) else v for v in values]
    return safe.rename(columns=lambda name: escape_formula(str(name)))
