"""The look: one style sheet for the pages and for the map's frame."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

__all__ = ["STYLES", "apply"]

STYLES = Path(__file__).resolve().parents[2] / "static" / "theme.css"

_MOST_PERIODS = 60


@lru_cache(maxsize=4)
def _styles(base: str) -> str:
    """Give the style sheet with the addresses of its fonts under the site's base path."""
    text = STYLES.read_text(encoding="utf-8").replace("url(fonts/", f"url({base}/assets/fonts/")
    # The map's frame alone needs it.
    text = text.replace("@import url(leaflet/leaflet.css);", "")
    # The slider spans from the middle of the first bar to that of the last, so it must know how many.
    counts = (f".st-key-strip:has(.bars.n{n}){{--periods:{n}}}" for n in range(2, _MOST_PERIODS + 1))
    return f"<style>{text}{''.join(counts)}</style>"


def apply() -> None:
    """Put the style sheet on the page."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    st.html(_styles(f"/{base}" if base else ""))
