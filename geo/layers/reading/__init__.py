"""How layers read the tables of a release."""
