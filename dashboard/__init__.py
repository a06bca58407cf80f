"""The interface: commands, the desk, the web process, its pages and map, and the briefing."""
