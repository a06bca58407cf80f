"""Attacks on a release: what someone who reads everything that was published could find out."""
