"""What a release may hold: its tables, the grid of areas and periods, and the states of a cell."""
