"""Attacks on a release: what a person who reads everything that was published could find out."""
