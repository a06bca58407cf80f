"""The static files for a browser: style, scripts, fonts, Leaflet. They contain no data."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "static"
