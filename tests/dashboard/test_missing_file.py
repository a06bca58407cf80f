"""Without a partner's outreach file all pages and commands say so first, and no plan is advised until answered."""

import pytest

from dashboard.commands.demo import score
from dashboard.narrative.completeness import word_gaps
from dashboard.narrative.plan import word_verdict
from dashboard.narrative.speech import LANGUAGES, Speech
from dashboard.site.current_release import load_areas
from dashboard.web import navigation
from dashboard.web.page_list import PAGES, RELEASE_PAGES
from data.release import Release
from data.workspace import Workspace
from risk.model.gaps import read_answers
from risk.planning.advice import read_advice
from risk.report.gaps import read_questions, sort_gaps
from tests.helpers.missing_files import PARTNERS, build_without
from tests.helpers.pages import read_text

# The first in .ci/run; the others are the same promise again.
pytestmark = pytest.mark.timeout(900)  # a release and a fit on a busy machine
_OFTEN = "ARSIS"
_PARTNERS = [pytest.param(name, marks=() if name == _OFTEN else pytest.mark.long) for name in PARTNERS]


@pytest.fixture(scope="module", params=_PARTNERS)
def missing(request, tmp_path_factory):
    """Return the workspace and the partner whose outreach file is missing."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("missing")
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield build_without(folder / "workspace", request.param), request.param


def open_release(workspace: Workspace) -> Release:
    return Release.open(workspace.releases, "partner", derived=workspace.derived)


def run_page(monkeypatch, workspace: Workspace, module: str) -> str:
    """Return the text of a page inside the frame that all pages share."""
    from streamlit.navigation.page import StreamlitPage
    from streamlit.testing.v1 import AppTest

    for name, value in (("RELEASES", workspace.releases), ("TIER", "partner"), ("DERIVED", workspace.derived)):
        monkeypatch.setenv(f"TACT_{name}", str(value))
    index = [page.module for page in PAGES].index(module)
    monkeypatch.setattr(navigation.st, "navigation", lambda pages, **_: pages[index])
    monkeypatch.setattr(StreamlitPage, "run", lambda _self: None)
    test = AppTest.from_string("from dashboard.web import navigation\nnavigation.run_page()", default_timeout=60)
    test.run()
    assert not test.exception, test.exception
    return read_text(test)


@pytest.mark.slow(seconds=90)
def test_everything_says_first_that_a_file_is_missing_and_no_plan_is_advised(missing, monkeypatch, tact):
    workspace, partner = missing
    release = open_release(workspace)
    questions = read_questions(release)
    assert {gap.partner for gap in questions.open} == {partner}
    assert questions.blocked == "open"
    for page in RELEASE_PAGES:
        assert f"{partner} sent cases" in run_page(monkeypatch, workspace, page.module), page.module
    plan = read_advice(release).plan
    assert (plan.advised, plan.answer, plan.blocked) == (False, "keep", "open")
    export = "export", "--tier", "partner", "--format", "csv", "--to", workspace.path / "files"
    for words in (("plan", "list"), export, ("doctor",), ("gaps", "list")):
        seen = tact("--workspace", workspace.path, *words)
        assert f"{partner} sent cases" in seen.err + seen.out, words
    for language in LANGUAGES:
        t = Speech(language, load_areas(release))
        assert partner in word_gaps(t, questions)[0]
        assert word_verdict(t, plan).answer == "keep"


@pytest.mark.slow(seconds=30)
def test_an_answer_frees_the_plan_or_says_what_it_waits_for(missing, tact):
    workspace, partner = missing
    release, options = open_release(workspace), ("--workspace", workspace.path, "gaps")
    assert tact(*options, "answer", partner, "perhaps").code != 0
    for why, blocked in (("later", "late"), ("closed", ""), ("right", ""), ("none", "")):
        assert tact(*options, "answer", partner, why).code == 0
        assert sort_gaps(release, read_answers(workspace.derived)).blocked == blocked
    score(workspace, lambda *_: None, tiers=("partner",))
    after = open_release(workspace)
    assert word_gaps(Speech("en", load_areas(after)), read_questions(after)) == []
    assert read_advice(after).plan.blocked == ""
    assert tact(*options, "remove", partner).code == 0
    assert read_answers(workspace.derived) == ()
