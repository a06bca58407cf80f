"""Which titles, reasons and decisions are refused."""

import pytest

from data.errors import InputError
from data.message import Message
from data.personal.free_text import check_free_text


@pytest.mark.parametrize(
    "text",
    [
        "call 0691234567",
        "Call Arben: 6971234567",
        "call 069 123 4567",
        "Card J51101001A",
        "AMKA 01059012342",
        "child born 3.2.2001",
        "someone@example.org",
        "41.3275, 19.8187",
    ],
)
def test_numbers_and_addresses_of_persons_are_refused(text):
    with pytest.raises(InputError, match="seems to contain"):
        check_free_text(["North", "South", "East", text], Message("A title or note"))


@pytest.mark.parametrize(
    "text",
    [
        "Send the second team from Tirana to Durrës by 3.2.2027",
        "Agios Nikolaos: 2 posts",
        "Budget 2027: 12 500 000 ALL",
        "Law 10 192 of 3.12.2009 (release 2027-02)",
        "ARSIS and Terre des hommes, 12 April 2027",
    ],
)
def test_places_organisations_days_and_sums_are_accepted(text):
    check_free_text([text], Message("A title or note"))
