"""Layers for programs against their own API definition: what schemathesis asks is answered as the definition says."""

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.applications import Starlette

from dashboard.site import Site
from dashboard.web.features import items, make_routes
from dashboard.web.features.query import MOST
from tests.helpers import small_release

# Refusals of what no schema can say: a day that the calendar lacks, an end before its begin.
UNSAYABLE = ("The south of bbox", "datetime must be")
ONE = "^(/|/conformance|/collections|/collections/encounters_region(/items.*)?)$"
EACH_LAYER = f"^(?!.*_({small_release.NAME}|country|municipality))"


@schemathesis.check
def what_the_definition_allows_is_answered(context, response, case):
    if response.status_code != 400 or not response.json()["description"].startswith(UNSAYABLE):
        positive_data_acceptance(context, response, case)


@schemathesis.check
def what_the_definition_does_not_allow_is_refused(context, response, case):
    # Part 1 of the standard wants a limit above the largest to be answered, with a page of the largest.
    limit = str((case.query or {}).get("limit", ""))
    if not (response.status_code == 200 and limit.isdigit() and int(limit) > MOST):
        negative_data_rejection(context, response, case)


def find_faults(application, paths, examples):
    """Return what schemathesis finds in all of its phases, and how many requests it made."""
    replaced = {name: {"enabled": False} for name in ("positive_data_acceptance", "negative_data_rejection")}
    config = {"seed": 1, "checks": replaced, "generation": {"max-examples": examples, "database": "none"}}
    schema = schemathesis.openapi.from_asgi(
        "/features/api", application, config=SchemathesisConfig.from_dict(config)
    ).include(path_regex=paths)
    faults, asked = [], 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            faults.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.cases)
            checked = [each.failure_info for checks in event.recorder.checks.values() for each in checks]
            faults += [f"{each.failure.title}: {each.failure.message} {each.code_sample}" for each in checked if each]
    return faults, asked


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return small_release.make_both(tmp_path_factory.mktemp("features"))


@pytest.mark.long
@pytest.mark.parametrize(("tier", "paths", "least"), [("public", ONE, 80), ("partner", EACH_LAYER, 300)])
def test_schemathesis_finds_no_fault_against_the_definition(releases, tier, paths, least):
    application = Starlette(routes=make_routes(Site(releases, tier), is_encrypted=False))
    faults, asked = find_faults(application, paths, 3)
    assert faults == []
    assert asked >= least


@pytest.mark.slow
def test_schemathesis_finds_a_feature_that_is_not_as_defined(releases, monkeypatch):
    items.zip_page.cache_clear()
    format_feature = items.geojson.format_feature
    monkeypatch.setattr(
        items.geojson, "format_feature", lambda *parts: format_feature(*parts).replace('"Feature"', '"Other"')
    )
    application = Starlette(routes=make_routes(Site(releases, "public"), is_encrypted=False))
    faults, _ = find_faults(application, "^/collections/effort_region/items$", 2)
    items.zip_page.cache_clear()
    assert any("Other" in fault for fault in faults)
