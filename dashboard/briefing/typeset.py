"""Typesetting with Typst: the templates and fonts of this folder, and data as JSON; nothing from outside."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(__file__).resolve().parent
_FONTS = TEMPLATES / "fonts"
# 960 x 540 points of the slides are 1920 x 1080 pixels.
_PPI = 144.0


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[str(_FONTS)])


def _compiler(template: str, document: Mapping[str, Any]) -> typst.Compiler:
    # A string of JSON is a value to Typst, never markup, whatever stands in it.
    told = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return typst.Compiler(
        str(TEMPLATES / template), root=str(TEMPLATES), font_paths=_fonts(), sys_inputs={"document": told}
    )


def pages(template: str, document: Mapping[str, Any]) -> list[int]:
    """Give the numbers of the pages on which the parts of a document end."""
    found = json.loads(_compiler(template, document).query("<end>", field="value"))
    return [int(number) for number in found]


def pdf(template: str, document: Mapping[str, Any], created: dt.datetime) -> bytes:
    """Give a tagged PDF after PDF/UA-1; the same bytes for the same document and moment."""
    made = _compiler(template, document).compile(format="pdf", pdf_standards="ua-1", timestamp=created)
    assert isinstance(made, bytes)
    return made


def pngs(template: str, document: Mapping[str, Any]) -> list[bytes]:
    """Give each page as a picture."""
    made = _compiler(template, document).compile(format="png", ppi=_PPI)
    return [made] if isinstance(made, bytes) else list(made or ())
