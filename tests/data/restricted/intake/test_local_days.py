"""Days that a system wrote as times in UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.partner_files import ROW, read, read_rows, reasons, text_of, write

ZONES = ["Europe/Tirane", "Europe/Athens"]
FORMS = ["{:%Y-%m-%dT%H:%M:%S.000Z}", "{:%Y-%m-%dT%H:%MZ}", "{:%Y-%m-%d %H:%M:%S} UTC", "{:%Y-%m-%dT%H:%M:%S}+00:00"]
DAYS = st.lists(st.dates(dt.date(2007, 1, 1), dt.date(2008, 12, 30)), min_size=1, max_size=6, unique=True)


def write_moment(day, time, zone, form=FORMS[0]):
    return form.format(dt.datetime.combine(day, time, ZoneInfo(zone)).astimezone(dt.UTC))


def read_days(folder, texts):
    rows = [ROW | {"date": text, "child_id": f"K-{number}"} for number, text in enumerate(texts)]
    return read(write(folder, text_of(rows)))


@given(
    days=DAYS,
    zone=st.sampled_from(ZONES),
    form=st.sampled_from(FORMS),
    edge=st.sampled_from([dt.time(), dt.time(23, 59, 59)]),
)
@settings(max_examples=40, deadline=None)
def test_a_day_written_as_its_first_or_last_moment_in_utc_is_the_local_day(tmp_path_factory, days, zone, form, edge):
    form = form if edge == dt.time() else FORMS[0]
    intake = read_days(tmp_path_factory.mktemp("a"), [write_moment(day, edge, zone, form) for day in days])
    assert intake.accepted.date.tolist() == [str(day) for day in days]
    assert any("times are in UTC" in note for note in intake.notes) == (edge == dt.time())


@given(days=DAYS, edge=st.sampled_from(["00:00:00.000Z", "23:59:59.999Z", "00:00Z"]))
@settings(max_examples=15, deadline=None)
def test_a_day_of_utc_stays(tmp_path_factory, days, edge):
    intake = read_days(tmp_path_factory.mktemp("a"), [f"{day}T{edge}" for day in days])
    assert intake.accepted.date.tolist() == [str(day) for day in days]
    assert not any("UTC" in note for note in intake.notes)


@given(days=DAYS, hour=st.integers(0, 23), minute=st.integers(1, 58), form=st.sampled_from(FORMS))
@settings(max_examples=40, deadline=None)
def test_a_time_of_day_has_the_day_of_both_countries_or_is_rejected(tmp_path_factory, days, hour, minute, form):
    times = [dt.datetime.combine(day, dt.time(hour, minute), dt.UTC) for day in days]
    intake = read_days(tmp_path_factory.mktemp("a"), [form.format(time) for time in times])
    local = [{time.astimezone(ZoneInfo(zone)).date().isoformat() for zone in ZONES} for time in times]
    assert intake.accepted.date.tolist() == [day for both in local if len(both) == 1 for day in both]
    assert set(intake.rejects.reason) <= {"a time in UTC around midnight: the local day is one of two"}
    assert intake.rejected_rows == sum(len(both) > 1 for both in local)


@pytest.mark.parametrize("zone", ZONES)
def test_midnights_among_other_times_are_rejected_or_local(tmp_path, zone):
    day = dt.date(2008, 3, 1)
    midnight = write_moment(day, dt.time(), zone)
    intake = read_days(tmp_path, [midnight, "2008-03-02T08:15:00Z", "2008-03-03T11:30:00Z"])
    assert set(intake.accepted.date) <= {"2008-03-01", "2008-03-02", "2008-03-03"}
    if zone == "Europe/Athens":  # in Tirana it is 23:00 of the day before
        assert "date" in reasons(intake, 2)


def test_a_midnight_of_the_other_country_among_many_is_rejected(tmp_path):
    days = [dt.date(2008, 2, n) for n in range(1, 20)]
    texts = [write_moment(day, dt.time(), ZONES[0]) for day in days]
    intake = read_days(tmp_path, [*texts, write_moment(dt.date(2008, 3, 1), dt.time(), ZONES[1])])
    assert (intake.accepted.date.tolist(), intake.rejected_rows) == ([str(day) for day in days], 1)


@given(days=DAYS, zone=st.sampled_from(ZONES))
@settings(max_examples=15, deadline=None)
def test_times_that_may_be_midnight_in_utc_are_noted(tmp_path_factory, days, zone):
    texts = [write_moment(day, dt.time(), zone, "{:%Y-%m-%dT%H:%M:%S}") for day in days]
    intake = read_days(tmp_path_factory.mktemp("a"), texts)
    assert intake.accepted.date.tolist() == [text[:10] for text in texts]
    assert any("midnight in Tirana or Athens if it is in UTC" in note for note in intake.notes)


@pytest.mark.parametrize("time", ["09:30:00", "00:00:00", "22:15:00"])
def test_times_of_day_without_a_zone_are_not_noted(tmp_path, time):
    intake = read_rows(tmp_path, {"date": f"2008-03-01T{time}"})
    assert not any("UTC" in note for note in intake.notes)
