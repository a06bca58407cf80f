"""The content of releases: their tables, the grid of areas and periods, and the states of a cell."""
