from dataclasses import replace
from datetime import date

import pytest

from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import InputError
from data.schema import vocabulary as words
from data.tables.spec import CATEGORIES, DEFAULT_PLAN, TIERS, TableSpec
from tests.helpers.nonempty import nonempty


def test_each_table_stands_once_in_a_tier():
    for tier in TIERS:
        names = [spec.name for spec in DEFAULT_PLAN[tier]]
        assert len(names) == len(set(names))


def test_the_public_tier_holds_nothing_fine_and_no_capacity():
    for spec in nonempty(DEFAULT_PLAN["public"]):
        assert spec.level != "municipality"
        assert spec.grain in ("year", "whole")
        assert spec.measure not in ("staff", "capacity", "flows", "model")
        assert len(spec.breakdown) <= 1


def test_only_the_model_and_services_of_countries_have_two_breakdowns_and_community_is_none():
    for tier in TIERS:
        for spec in DEFAULT_PLAN[tier]:
            two = spec.measure == "model" or (spec.measure in {"services", "capacity"} and spec.level == "country")
            assert len(spec.breakdown) <= (2 if two else 1)
            assert "community" not in spec.breakdown
    assert TableSpec("communities", "region", "year").columns == ("group",)


def test_every_public_count_stands_in_the_partner_tier_too():
    assert {s for s in DEFAULT_PLAN["public"] if s.counted} <= set(DEFAULT_PLAN["partner"])


@pytest.mark.parametrize(
    ("column", "codes"),
    [
        ("pathway", words.PATHWAYS),
        ("stage", words.STAGES),
        ("form", words.FORMS),
        ("axis", words.AXES),
        ("sex", words.SEXES),
        ("age_band", words.AGES),
        ("found", words.FOUND),
        ("duty_bearer", words.DUTY_BEARERS),
        ("group", words.GROUPS),
        ("help", [kind for kind in words.KINDS_OF_HELP if kind not in ("shelter", "unknown")]),
        ("victim_status", words.VICTIM_STATUSES),
        ("status_decided_by", words.IDENTIFYING_BODIES),
        ("citizenship_group", words.CITIZENSHIP_GROUPS),
        ("recruitment_method", words.RECRUITMENT_METHODS),
        ("means_of_control", words.MEANS_OF_CONTROL),
    ],
)
def test_categories_are_those_of_the_records(column, codes):
    assert CATEGORIES[column] == tuple(codes)


@pytest.mark.parametrize(
    "change",
    [
        {"k": 10},
        {"operators": 2},
        {"cap": 0},
        {"variance": 5.0},
        {"variance": 0.0},
        {"largest": DEFAULT_POLICY.k},
        {"key_range": 1000},
        {"key_range": 2**40},
    ],
)
def test_a_policy_cannot_be_weakened_below_its_floor(change):
    with pytest.raises(InputError, match="policy"):
        replace(DEFAULT_POLICY, **change)


def test_a_policy_can_be_written_into_a_manifest():
    parameters = Policy(k=20, first=date(2006, 6, 1), no_programme=frozenset({"GR-69"})).parameters()
    assert (parameters["k"], parameters["first"], parameters["no_programme"]) == (20, "2006-06-01", ["GR-69"])
