"""Sentences about a plan, a risk and an area: worded once for the pages, the briefing and the terminal."""
