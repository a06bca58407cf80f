"""Sentences about a plan, a risk and an area: the same for the pages, the briefing and the terminal."""
