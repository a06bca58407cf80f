"""Typesetting with Typst. Only the templates and fonts of this folder are used; data is handed over as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

TEMPLATES = Path(__file__).resolve().parent
FONTS = TEMPLATES / "fonts"
# 960 x 540 points of the slides are 1920 x 1080 pixels.
_PPI = 144.0


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])


def _compiler(template: str, document: Mapping[str, Any]) -> typst.Compiler:
    # Typst reads a JSON string as a value and never as markup, whatever it contains.
    values = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return typst.Compiler(
        str(TEMPLATES / template), root=str(TEMPLATES), font_paths=_fonts(), sys_inputs={"document": values}
    )


def find_ends(template: str, document: Mapping[str, Any]) -> list[int]:
    """Return the number of the page on which each part of a document ends."""
    ends = json.loads(_compiler(template, document).query("<end>", field="value"))
    return [int(number) for number in ends]


def render_pdf(template: str, document: Mapping[str, Any], created: dt.datetime) -> bytes:
    """Return a tagged PDF that follows PDF/UA-1. The same document and time give the same bytes."""
    moment = created.replace(microsecond=0)
    pdf = _compiler(template, document).compile(format="pdf", pdf_standards="ua-1", timestamp=moment)
    assert isinstance(pdf, bytes)
    return pdf


def render_pngs(template: str, document: Mapping[str, Any]) -> list[bytes]:
    """Return each page as a PNG picture with 144 pixels per inch."""
    pages = _compiler(template, document).compile(format="png", ppi=_PPI)
    return [pages] if isinstance(pages, bytes) else list(pages or ())
