"""The files that a browser gets as they are: style, scripts, fonts, Leaflet. They hold no data."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "static"
