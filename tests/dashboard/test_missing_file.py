"""Without a partner's outreach file all pages and commands say so first, and no plan is advised until answered."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from dashboard.commands.demo import score
from dashboard.narrative.completeness import word_gaps
from dashboard.narrative.plan import word_verdict
from dashboard.narrative.speech import LANGUAGES, Speech
from dashboard.site.current_release import load_areas
from dashboard.web import navigation
from dashboard.web.page_list import RELEASE_PAGES
from data.release import Release, completeness
from data.release.completeness import read_questions, sort_gaps
from data.workspace import Workspace
from geo.layers.output import terms
from risk.model.gaps import read_answers
from risk.planning.advice import read_advice
from tests.helpers.missing_files import PARTNERS, build_without
from tests.helpers.pages import run_framed_page

# With a release and a fit for each partner: `make long`.
pytestmark = pytest.mark.timeout(900)  # a release and a fit on a busy machine


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.long) for name in PARTNERS])
def missing(request, tmp_path_factory):
    """Return the workspace and the partner whose outreach file is missing."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("missing")
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield build_without(folder / "workspace", request.param), request.param


def open_release(workspace: Workspace, tier="partner") -> Release:
    return Release.open(workspace.releases, tier, derived=workspace.derived)


@pytest.mark.slow(seconds=5)
def test_pages_and_commands_say_first_what_the_table_of_completeness_lacks(demo_world, tmp_path, monkeypatch, tact):
    """The demo lacks nothing; here its table says that a partner sent cases and no days.

    The sentence stands in the frame of each page, so that here the pages are empty; below they are whole.
    """
    usual = completeness.read_completeness

    def lose_days(release):
        known = usual(release)
        rows = np.array([partner == "ARSIS" for _, partner in known.senders])
        return replace(known, days=np.where(rows[:, None], 0.0, known.days))

    monkeypatch.setattr(completeness, "read_completeness", lose_days)
    monkeypatch.setattr(navigation, "_load_show", lambda _page: lambda: None)
    # Pages remember their words by release and results, so this one has a folder of its own.
    workspace = Workspace.open(shutil.copytree(demo_world, tmp_path / "world"))
    release = open_release(workspace)
    assert read_questions(release).blocked == "open"
    for page in RELEASE_PAGES:
        assert "ARSIS sent cases" in run_framed_page(monkeypatch, workspace.releases, workspace.derived, page.module), (
            page.module
        )
    assert "ARSIS sent cases" in tact("--workspace", workspace.path, "gaps", "list").out
    plan = tact("--workspace", workspace.path, "plan", "make", "--moves", "1")
    assert plan.out.startswith("No moves are advised")


@pytest.mark.slow(seconds=90)
def test_everything_says_first_that_a_file_is_missing_and_no_plan_is_advised(missing, monkeypatch, tact):
    workspace, partner = missing
    release = open_release(workspace)
    questions = read_questions(release)
    assert {gap.partner for gap in questions.open} == {partner}
    assert questions.blocked == "open"
    for page in RELEASE_PAGES:
        assert f"{partner} sent cases" in run_framed_page(
            monkeypatch, workspace.releases, workspace.derived, page.module
        ), page.module
    plan = read_advice(release).plan
    assert (plan.advised, plan.answer, plan.blocked) == (False, "keep", "open")
    for words in (("plan", "list"), ("plan", "make", "--seconds", "2"), ("ledger", "list"), ("breaks", "list")):
        assert f"{partner} sent cases" in tact("--workspace", workspace.path, *words).err, words
    for words in (("doctor",), ("gaps", "list")):
        seen = tact("--workspace", workspace.path, *words)
        assert f"{partner} sent cases" in seen.err + seen.out, words
    for language in LANGUAGES:
        t = Speech(language, load_areas(release))
        assert partner in word_gaps(t, questions)[0]
        assert word_verdict(t, plan).answer == "keep"


@pytest.mark.slow(seconds=10)
def test_files_say_it_and_the_public_tier_names_the_country_and_no_partner(missing, monkeypatch, tact, tmp_path):
    workspace, partner = missing
    public = open_release(workspace, "public")
    assert partner not in public.result("risk").folder.joinpath("manifest.json").read_text()
    for tier, words in (("partner", f"{partner} sent cases"), ("public", "Preliminary for")):
        for command in (("export", "--format", "csv"), ("publish",)):
            folder = tmp_path / f"{command[0]}-{tier}"
            receiver = ("--for", "Invented Partner") if tier == "partner" and command[0] == "export" else ()
            seen = tact("--workspace", workspace.path, *command, "--tier", tier, "--to", folder, *receiver)
            assert seen.code == 0, seen.err
            assert words in seen.err
            assert partner in seen.err or tier == "public"
        readme = next((tmp_path / f"export-{tier}").glob("*README.txt")).read_text()
        assert terms.INCOMPLETE in readme.partition("layers:")[0]
    for page in RELEASE_PAGES:
        text = run_framed_page(monkeypatch, workspace.releases, workspace.derived, page.module, "public")
        assert "Preliminary for" in text, page.module
        assert f"{partner} sent" not in text


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
