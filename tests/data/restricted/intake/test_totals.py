"""Rows of totals are told from records, in the words, capitals and spellings that people use."""

import pytest

from data.restricted.intake.table import is_total

TOTALS = [
    "Grand total", "GRAND TOTAL:", "Overall total", "Total general", "Total / Gjithsej", "Total children: 12",
    "Gjithsej gjithë", "Gjithsej të gjithë", "Shuma totale", "Totali i pergjithshem", "TOTALI I PËRGJITHSHËM",
    "TOTAL FËMIJË", "Gjithsej femije", "Totali Mars", "Γενικό σύνολο", "ΓΕΝΙΚΟ ΣΥΝΟΛΟ", "Γενικο συνολο",
    "ΣΥΝΟΛΟ ΠΑΙΔΙΩΝ", "Σύνολο παιδιών", "ΣΥΝΟΛΟ 12", "Σύνολο Αθήνα",
]  # fmt: skip
OTHERS = ["i", "e", "grand", "general", "gjithë", "Total loss of family", "Shuma e parave", "Tirana", "12", "K-12", ""]


@pytest.mark.parametrize("text", TOTALS)
def test_totals_are_known(text):
    assert is_total([text])
    assert is_total(["", text, "12"])


@pytest.mark.parametrize("text", OTHERS)
def test_other_words_are_no_totals(text):
    assert not is_total([text])
