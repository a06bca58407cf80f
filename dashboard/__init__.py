"""The interface: commands, pages, map and briefing."""
