"""The policy file: allowed and forbidden content, and a message with the place of each fault."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.disclosure import policy_file
from data.disclosure.policy import DEFAULT_POLICY, LOWEST_K
from data.errors import InputError
from data.tables.spec import DEFAULT_PLAN, MAY_HOLD, OF_COUNTRIES, TIERS, TableSpec

TEMPLATE = policy_file.default_text()
BOTH = """
[[partner]]
measures = ["children"]
levels = ["region"]
periods = ["year"]

[[public]]
measures = ["children"]
levels = ["region"]
periods = ["year"]
"""


def faults(text):
    with pytest.raises(InputError) as caught:
        policy_file.parse(text)
    head, *lines = str(caught.value).splitlines()
    assert policy_file.FILE in head
    return lines


def test_the_file_that_is_written_holds_the_defaults():
    read = policy_file.parse(TEMPLATE)
    assert (read.policy, read.plan) == (DEFAULT_POLICY, DEFAULT_PLAN)


def test_an_empty_or_missing_file_has_the_defaults(tmp_path):
    assert policy_file.parse("") == policy_file.read(tmp_path) == policy_file.parse(TEMPLATE)


def test_publisher_and_doi_are_read_and_empty_ones_are_none():
    policy = policy_file.parse('[catalogue]\npublisher = "ARSIS"\ndoi = " 10.5281/zenodo.1234567 "\n').policy
    assert (policy.publisher, policy.doi) == ("ARSIS", "10.5281/zenodo.1234567")
    policy = policy_file.parse('[catalogue]\npublisher = " "\ndoi = ""\n').policy
    assert (policy.publisher, policy.doi) == ("", "")


def test_values_and_tables_are_read():
    text = '[protection]\nk = 20\n[counting]\nfirst = 2006-06-01\nno_programme = ["GR-69"]\n' + BOTH
    rules = policy_file.parse(text)
    assert (rules.policy.k, rules.policy.first) == (20, dt.date(2006, 6, 1))
    assert rules.policy.no_programme == {"GR-69"}
    only = (TableSpec("children", "region", "year"),)
    assert rules.plan == {"partner": only, "public": only}


@given(k=st.integers(-5, LOWEST_K - 1))
def test_the_threshold_may_only_be_raised(k):
    assert any(f"k = {k}" in fault for fault in faults(f"[protection]\nk = {k}\n"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("k = 11", 'k = "11"', "[protection] k = '11': write a whole number"),
        ("k = 11", "k = true", "[protection] k = True"),
        ("variance = 2.0", "variance = 5.0", "between 0 and largest"),
        ("operators = 3", "operators = 2", "operators = 2; it must be at least 3"),
        ("cap = 3", "caps = 3", "[counting] caps: there is no such value. There are: cap,"),
        ("[licence]", "[licences]", "licences: there is no such section"),
        ("first = 2006-06-01", 'first = "June"', "[counting] first = 'June': write a day"),
        ("no_programme = []", 'no_programme = ["XX"]', "'XX' is no area"),
        ('["effort"]', '["afford"]', "'afford' is not allowed. Allowed: children, "),
        ('breakdowns = ["origin"]', 'breakdowns = ["none"]', "flows by 'none' is not allowed"),
        ('measures = ["flows"]', "measures = []", "measures: write a list"),
        ('doi = ""', 'doi = "https://doi.org/10.5281/zenodo.1"', "without https:, such as 10.5281/zenodo.1234567"),
        ('doi = ""', 'doi = "10.5281/"', "doi = 10.5281/; write 10., digits, a slash and a name"),
        ('publisher = ""', "publisher = 3", "[catalogue] publisher = 3: write a text in quotes"),
        ('measures = ["flows"]', 'measure = ["flows"]', "measure: there is no such line"),
    ],
)
def test_each_fault_is_told_with_its_place_and_what_is_allowed(old, new, words):
    assert old in TEMPLATE
    assert any(words in fault for fault in faults(TEMPLATE.replace(old, new, 1)))


FORMER = 'mechanism = "cell_key"\nzeros_shown = false\nepsilon = 1.0\ncells = 80\nbudget = 80.0\n'


def test_a_file_as_earlier_versions_wrote_it_is_accepted():
    assert policy_file.parse(TEMPLATE.replace("[protection]\n", f"[protection]\n{FORMER}")).policy == DEFAULT_POLICY


@pytest.mark.parametrize(
    "line",
    [
        'mechanism = "threshold"',
        'mechanism = "dp"',
        "zeros_shown = true",
        "epsilon = 0.5",
        "cells = 60",
        "budget = 200.0",
    ],
)
def test_a_mechanism_that_is_gone_is_refused_with_what_to_do(line):
    (fault,) = faults(f"[protection]\n{line}\n")
    assert line.split(" ")[0] in fault
    assert "Delete the line" in fault
    assert "new workspace" in fault


def test_all_faults_are_told_at_once():
    assert len(faults("[protection]\nk = 3\n[nothing]\n[[public]]\nmeasures = ['x']\n")) >= 4


@pytest.mark.parametrize(
    ("measure", "level", "period", "breakdown", "word"),
    [
        ("encounters", "region", "year", "none", "encounters"),
        ("capacity", "region", "year", "none", "capacity"),
        ("children", "municipality", "year", "none", "municipality"),
        ("children", "region", "quarter", "none", "quarter"),
        ("children", "region", "year", "community", "community"),
        ("children", "region", "year", "sex and form", "sex and form"),
    ],
)
def test_nothing_becomes_public_that_may_not(measure, level, period, breakdown, word):
    words = zip(policy_file.KEYS, (measure, level, period, breakdown), strict=True)
    block = "\n".join(f'{key} = ["{value}"]' for key, value in words)
    assert any(word in fault for fault in faults(f"{BOTH}\n[[public]]\n{block}\n"))


@pytest.mark.parametrize("name", OF_COUNTRIES)
@pytest.mark.parametrize(
    ("tier", "level", "period"),
    [
        ("partner", "region", "year"),
        ("partner", "municipality", "whole"),
        ("partner", "country", "quarter"),
        ("public", "country", "whole"),
    ],
)
def test_what_standards_ask_for_is_of_countries_and_years_for_partners_and_only_on_demand(tier, name, level, period):
    block = f'measures = ["children"]\nlevels = ["{level}"]\nperiods = ["{period}"]\nbreakdowns = ["{name}"]\n'
    assert any("is not allowed" in fault for fault in faults(f"{BOTH}\n[[{tier}]]\n{block}"))
    coarse = block.replace(level, "country").replace(period, "year")
    asked = TableSpec("children", "country", "year", (name,))
    assert asked in policy_file.parse(f"{BOTH}\n[[partner]]\n{coarse}").plan["partner"]
    assert not any(name in spec.breakdown for of_tier in DEFAULT_PLAN.values() for spec in of_tier)


def test_what_is_public_is_counted_for_partners_too():
    alone = BOTH[BOTH.index("[[public]]") :]
    assert any("must be a partner table too" in fault for fault in faults(alone))


def test_the_default_plan_holds_only_what_a_plan_may():
    for tier in TIERS:
        for spec in DEFAULT_PLAN[tier]:
            may = MAY_HOLD[tier][spec.measure]
            assert spec.level in may.find_levels(spec.breakdown)
            assert spec.grain in may.find_periods(spec.breakdown)
            assert spec.breakdown in may.breakdowns


@pytest.mark.slow
@given(st.text(max_size=60))
def test_whatever_is_written_there_ends_in_rules_or_in_a_clear_error(text):
    with contextlib.suppress(InputError):
        assert policy_file.parse(text).policy.k >= LOWEST_K
