"""Disclosure control: one file a mechanism, the release plan, and the attacks."""
