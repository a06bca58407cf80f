"""The attack on indicators: what their rows may hold follows from the tier, the place and what is counted."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.disclosure.attacks import indicators

RULES = {
    "people": {"counts": "people", "value": 40.0, "margin": 5.0, "axis": "protection"},
    "no people": {"counts": "people", "value": np.nan, "state": "almost_none"},
    "meetings": {"counts": "things", "value": 2.5, "axis": "coordination"},
    "none": {"counts": "things", "value": 0.0, "axis": "coordination"},
    "services of a region": {"counts": "services", "value": 1.0, "axis": "prevention", "area": "AL-11"},
    "services with a target": {"counts": "services", "value": 1.0, "axis": "coordination", "target": 9.0},
    "services that are withheld": {"counts": "services", "value": np.nan, "state": "withheld", "axis": "protection"},
}
WRONG = {
    "public": {"tier": "public"},
    "a municipality": {"area": "101"},
    "an area that is unknown": {"area": "XX"},
    "protection in a region": {"area": "AL-11", "axis": "protection"},
    "no axis in a region": {"area": "AL-11", "axis": ""},
    "a number that is withheld": {"state": "withheld"},
    "a number beside none": {"state": "almost_none", "margin": 5.0},
    "no number": {"value": np.nan, "margin": np.nan},
    "another state": {"state": "few", "value": np.nan, "margin": np.nan},
    "meetings almost none": {"counts": "things", "state": "almost_none", "value": np.nan, "margin": np.nan},
    "people without margin": {"margin": np.nan},
    "people with another margin": {"margin": 4.0},
    "part of a person": {"value": 40.5},
    "nobody as a number": {"value": 0.0},
    "meetings with a margin": {"counts": "things"},
    "a margin on its own": {"state": "withheld", "value": np.nan},
    "services of return": {"counts": "services", "axis": "assisted_voluntary_return", "value": 400.0, "margin": np.nan},
    "services of no axis": {"counts": "services", "axis": "", "value": 0.0, "margin": np.nan},
    "a target of services that are withheld": {
        "counts": "services",
        "axis": "protection",
        "value": np.nan,
        "margin": np.nan,
        "state": "withheld",
        "target": 9.0,
    },
}
AREAS = pd.DataFrame({"level": ["country", "region", "municipality"]}, index=["AL", "AL-11", "101"])


@pytest.fixture
def judge(monkeypatch):
    monkeypatch.setattr(indicators.reading, "read_areas", lambda release: AREAS)

    def judge(tier="partner", **row):
        usual = {"area": "AL", "period": "2006-06-01/P1Y", "indicator": "x", "axis": "prevention", "state": "number"}
        table = pd.DataFrame([{**usual, "margin": np.nan, "target": np.nan, **row}])
        release = SimpleNamespace(tier=tier, tables=("indicators",), table=lambda name: table, largest=5.0)
        return indicators.attack(release)

    return judge


@pytest.mark.parametrize("row", RULES.values(), ids=RULES)
def test_what_the_rules_allow_is_no_finding(judge, row):
    assert judge(**row) == []


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_they_do_not_allow_is_found_and_named(judge, change):
    findings = judge(**{**RULES["people"], "axis": "prevention", **change})
    assert findings
    assert {finding.cell["indicator"] for finding in findings} == {"x"}
    assert not any(character.isdigit() for finding in findings for character in finding.reason)
