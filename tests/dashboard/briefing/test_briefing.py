"""The briefing: two tagged pages in three languages for any plan, and pictures for slides."""

import io
import itertools
import json
import re
import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import typst
from pypdf import PdfReader

from dashboard import briefing
from dashboard.briefing import map, method, typeset
from dashboard.briefing.document import Document
from dashboard.narrative import moves, speech
from dashboard.narrative.plan import word_verdict
from dashboard.narrative.speech import Speech
from dashboard.pages.reallocate.map import describe_layer
from dashboard.site.current_release import follow_release
from dashboard.site.text import speak
from data.errors import InputError
from data.release import Release
from geo import areas as geography
from risk.handover import hand_over
from risk.handover.tasks import DUTY_BEARERS, Capacity, Task
from risk.planning import inputs
from risk.planning import saved as plan_files
from risk.planning.explain import Estimate
from risk.planning.inputs import PlanInputs, Setting
from risk.planning.summary import Author, HandedOverTask, StayingTask, summarise_plan
from tests.helpers.hostile import PAYLOADS
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import GOLDEN
from tests.helpers.plans import crowded, manifest, move, read, saved

pytestmark = pytest.mark.slow

LANGUAGES = briefing.LANGUAGES
HOSTILE = (
    '#panic("x")',
    '#read("/etc/passwd")',
    "#{1+1}",
    "$ x $ *b* _i_ @a <b>",
    "\\u{41} [x] // y",
    "a" * 5000,
    "日本 🙂 \u202e \x00 \u0301",
    "{title} {0}",
    *PAYLOADS,
)


@pytest.fixture(scope="module", autouse=True)
def remembered_ends():
    """Look once for where a document ends: to find room, each briefing asks this of all three languages again."""
    find, known = typeset.find_ends, {}

    def find_once(template, document):
        asked = json.dumps([template, document])
        if asked not in known:
            known[asked] = find(template, document)
        return known[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typeset, "find_ends", find_once)
        yield


@pytest.fixture(scope="module")
def release(scored):
    return Release.open(scored.releases, "partner", derived=scored.derived)


@pytest.fixture(scope="module")
def alone(scored):
    """Return the release without derived results."""
    return Release.open(scored.releases, "partner")


@pytest.fixture(scope="module")
def usual(release):
    """Return a function that makes the briefing of the usual plan in a language, once."""
    return cache(lambda language="en": briefing.make_pdf(saved(release.name), release, language))


@pytest.fixture(scope="module")
def areas(release):
    return geography.read_areas(release.areas_file)


def test_a_briefing_reads_a_release_as_pages_do_without_what_is_hidden(scored):
    hidden = Release.open(scored.releases, "partner", derived=scored.derived, without=["communities"])
    document = Document(saved(hidden.name), hidden, Speech("en", geography.read_areas(hidden.areas_file)))
    assert document.current == follow_release(hidden)
    assert document.current.without == {"communities"}


def open_pdf(pdf):
    return PdfReader(io.BytesIO(pdf))


def text(pdf):
    return [re.sub(r"\s+", " ", page.extract_text()) for page in open_pdf(pdf).pages]


def closed(words):
    """Return a text without spaces and line breaks."""
    return re.sub(r"[\s\u200b]", "", words)


def structure(pdf):
    """Return the roles in the tree of tags, and the alternative texts of pictures."""
    roles, alts = [], []

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            for kid in node:
                walk(kid)
        elif isinstance(node, dict):
            if "/S" in node:
                roles.append(str(node["/S"]))
            if "/Alt" in node:
                alts.append(str(node["/Alt"]))
            if "/K" in node:
                walk(node["/K"])

    walk(open_pdf(pdf).trailer["/Root"]["/StructTreeRoot"])
    return roles, alts


@pytest.mark.always("60-el")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 5, 60])
def test_it_has_two_pages_however_many_moves(release, language, count):
    assert len(open_pdf(briefing.make_pdf(saved(release.name, count), release, language)).pages) == 2


@pytest.mark.always("el")
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_two_pages_whatever_is_written(release, language):
    plan = crowded(release.name)
    pdf = briefing.make_pdf(plan, release, language)
    assert len(open_pdf(pdf).pages) == 2
    check_pictures(briefing.make_pictures(plan, release, language), language)


def check_pictures(pictures, language):
    """Check that there are three pictures, of the size of a slide."""
    assert list(pictures) == [f"{name}-{language}.png" for name in ("1-map", "2-moves", "3-uncertain")]
    for picture in pictures.values():
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">II", picture[16:24]) == (1920, 1080)


def test_the_share_for_exploration_is_a_limit_only_where_areas_are_explored(release):
    t, plan = Speech("en", geography.read_areas(release.areas_file)), saved(release.name).summary
    for explored in ((), ("GR-A",)):
        exploring = replace(plan, verdict=replace(plan.verdict, explored=explored))
        limits = dict(method.list_paragraphs(t, exploring, release))["Limits of this plan"]
        assert ("of outreach goes to areas with too little outreach" in limits) == bool(explored)


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_text_is_that_of_the_golden_file(alone, language):
    text = "\n\n".join(
        page.extract_text() for page in open_pdf(briefing.make_pdf(saved(alone.name), alone, language)).pages
    )
    assert text + "\n" == (GOLDEN / f"briefing-{language}.txt").read_text(encoding="utf-8")


@pytest.mark.always("en")
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_tagged_after_pdf_ua(release, usual, language):
    plan, pdf = saved(release.name), usual(language)
    root = open_pdf(pdf).trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert open_pdf(pdf).metadata.title == plan.summary.title
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()
    roles, alts = structure(pdf)
    assert {"/H1", "/H2", "/Table", "/TH", "/L", "/Figure"} <= set(roles)
    assert roles.count("/H1") == 1
    assert any("→" in alt for alt in alts)


def test_the_same_plan_gives_the_same_bytes(release, usual):
    assert briefing.make_pdf(saved(release.name), release, "el") == usual("el")


@pytest.mark.long
def test_it_is_dated_by_the_plan(release):
    pdf = briefing.make_pdf(saved(release.name, created="2009-06-01T08:00:00Z"), release)
    assert open_pdf(pdf).metadata.creation_date.year == 2009
    assert "1 June 2009" in text(pdf)[0]


@pytest.mark.long
def test_every_page_says_that_its_data_are_invented_and_who_may_read_it(release, usual):
    for page in nonempty(text(usual())):
        assert "Invented data" in page
        assert "Partner tier: only for partners who signed the agreement" in page
        assert release.name in page


def test_nothing_is_called_invented_that_is_not(release, monkeypatch):
    monkeypatch.setattr(Release, "invented", False)
    for page in nonempty(text(briefing.make_pdf(saved(release.name, invented=False), release))):
        assert "Invented" not in page


def test_change_nothing_is_said_plainly(release):
    plan = manifest(release.name)
    plan["plan"] |= {"answer": "keep"}
    first, second = text(briefing.make_pdf(read(plan), release))
    assert "Keep things as they are" in first
    assert "but that is not even likely" in first
    assert "Moves considered, not advised" in first
    assert "Proposed moves" not in first
    assert "Do it: move" not in first
    assert "is said if it is very likely" in second


@pytest.mark.always("en")
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_optional_plan_has_words_of_its_own(release, language):
    plan, t = manifest(release.name), Speech(language, geography.load_areas())
    plan["plan"] |= {"answer": "optional"}
    read_again = read(plan)
    first = closed(text(briefing.make_pdf(read_again, release, language))[0])
    words = word_verdict(t, read_again.summary)
    assert all(closed(sentence) in first for sentence in (words.head, words.text, words.sure, words.seen))


@pytest.mark.long
def test_a_plan_without_moves_changes_nothing(release):
    first, second = text(briefing.make_pdf(saved(release.name, 0), release))
    assert "Keep things as they are" in first
    assert "No moves: all units stay where they are." in first
    assert "No moves, so no phases." in second


@pytest.mark.long
def test_moves_that_find_no_room_are_counted(release):
    first = text(briefing.make_pdf(saved(release.name, 60), release))[0]
    rows = len(re.findall(r"\d × \w", first))
    left = int(re.search(r"(\d+) more moves, with a smaller gain", first)[1])
    assert rows + left == 60
    assert rows >= 6


@pytest.mark.long
def test_it_lists_the_same_moves_in_every_language(release):
    places = {
        language: re.findall(r"(\d) × ", text(briefing.make_pdf(saved(release.name, 60), release, language))[0])
        for language in LANGUAGES
    }
    assert places["en"] == places["sq"] == places["el"]


def test_every_decision_is_told(usual):
    first, second = text(usual())
    assert "accepted: Team speaks Albanian" in first
    assert "Keep in place: protection in Attica" in second
    assert "Declined: 1 × outreach team, Attica → Western Greece" in second


def test_it_knows_every_reason_for_which_a_task_stays(areas):
    room = np.full((1, len(DUTY_BEARERS), 4), 10)
    capacity = Capacity(("AL-11",), room, np.zeros((1, len(DUTY_BEARERS)), bool))
    tasks = [Task("AL-11", f"partner {n}", "protection", n, ("state",)) for n in (0, 8, 9, 11)]
    stays = hand_over(tasks, capacity).stays
    reasons = {Speech("en", areas).name_reason(stay.why) for stay in stays}
    assert reasons == {
        "there is nothing to hand over",
        "other tasks use all of the spare capacity",
        "no duty bearer who may take it has enough spare capacity",
    }
    assert Speech("en", areas).name_reason("We want it so.") == "We want it so."


@pytest.mark.long
def test_hand_over_is_told(usual):
    second = text(usual())[1]
    assert "Attica, reintegration: ARSIS hands over to a municipality in quarter 3" in second
    assert "Terre des hommes keeps the task (about 30 children): no duty bearer who may take it" in second


def test_it_says_what_the_risk_model_says(release, usual):
    current = briefing._open_document(saved(release.name), release, "en").current
    from dashboard.narrative.risk import read_area_rates

    unsure = sum(int((read_area_rates(current, way)["claim"] == "").sum()) for way in ("internal", "cross_border"))
    first, second = text(usual())
    assert "Greece, internal trafficking:" in first
    assert "the share of internal trafficking" in first
    assert "likely" in first
    assert "Most children newly in need:" in first
    assert (f"For {unsure} of 50 pairs of area and pathway" in second) == (unsure > 0)


def hostile_plan(release, texts):
    """Return a plan in which every text that can come from data is one of these texts, in turn."""
    turn = itertools.cycle(texts)
    author = {"role": "board", "date": next(turn)}
    plan = manifest(release.name, title=next(turn), note=next(turn), author=author)
    for listed, names in {
        "moves": ("start", "kind"),
        "decisions": ("reason", "kind", "date"),
        "stays": ("area", "partner", "axis", "why"),
        "handover": ("area", "partner", "axis", "to"),
    }.items():
        plan[listed] = [{**row, **{name: next(turn) for name in names}} for row in plan[listed] * 3]
    return read(plan)


@pytest.mark.always("0")
@pytest.mark.parametrize("start", range(0, len(HOSTILE), 4))
def test_text_from_data_is_never_markup(release, start):
    texts = HOSTILE[start:] + HOSTILE[:start]
    language = LANGUAGES[start % len(LANGUAGES)]
    plan = hostile_plan(release, texts)
    pdf = briefing.make_pdf(plan, release, language)
    assert len(open_pdf(pdf).pages) == 2
    shown = closed("".join(text(pdf)))
    summary = plan.summary
    for words in (summary.title, summary.note, summary.moves[0].kind):
        assert closed(speech.make_legible(words, 25).rstrip("…")) in shown
    assert len(briefing.make_pictures(plan, release, language)) == 3


def test_a_word_without_end_may_be_broken():
    assert speech.make_legible("n" * 30) == "\u200b".join(("n" * 8, "n" * 8, "n" * 8, "n" * 6))
    assert speech.make_legible("υποβοηθούμενη") == "υποβοηθούμενη"
    assert speech.make_legible("one two three", 8) == "one two…"
    assert speech.make_legible(" a\n\tb \x00") == "a b"


@pytest.mark.long
def test_what_is_called_legible_can_be_printed():
    every = [chr(point) for point in range(0x20, 0x3000) if not speech.UNPRINTABLE.match(chr(point))]
    assert len(every) > 500
    source = """
        #set document(title: "t")
        #set text(font: "Source Sans 3", lang: "en")
        = t
        #json(bytes(sys.inputs.t))
    """
    for start in range(0, len(every), 50):
        escapes = '"' + " ".join(f"\\u{ord(character):04x}" for character in every[start : start + 50]) + '"'
        pdf, warnings = typst.compile_with_warnings(
            source.encode(), font_paths=typeset._fonts(), sys_inputs={"t": escapes}, pdf_standards="ua-1"
        )
        assert pdf
        assert not warnings
        fonts = {name for page in open_pdf(pdf).pages for name in _fonts_of(page)}
        assert all("SourceSans3" in name for name in fonts)


def _fonts_of(page):
    return [str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()]


def test_it_is_set_in_fonts_that_ship_with_it(usual):
    assert all("SourceSans3" in name for page in open_pdf(usual("el")).pages for name in _fonts_of(page))


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 5, 60])
def test_pictures_fit_slides(release, language, count):
    plan = saved(release.name, count)
    pictures = briefing.make_pictures(plan, release, language)
    check_pictures(pictures, language)
    assert briefing.make_pictures(plan, release, language) == pictures


def test_a_plan_of_another_release_is_refused(release, scored):
    with pytest.raises(InputError, match="made from release '1999-01-001'"):
        briefing.make_pdf(saved("1999-01-001"), release)
    with pytest.raises(InputError, match="made from tier 'partner'"):
        briefing.make_pdf(saved(release.name), Release.open(scored.releases, "public"))
    with pytest.raises(InputError, match="No briefing in 'de'; the languages are en, sq, el"):
        briefing.make_pdf(saved(release.name), release, "de")


@pytest.mark.long
def test_a_plan_that_was_kept_can_be_briefed(release, tmp_path):
    ground, setting = PlanInputs.read(release), Setting(moves=2, seconds=3.0, exploration=0.0)
    plan = inputs.make_plan(ground, setting)
    author = Author("coordinator", "2026-11-25")
    summary = summarise_plan(ground, setting, plan, author, title="Two moves")
    saved_plan = plan_files.save_plan(tmp_path, release, summary)
    first, second = text(briefing.make_pdf(saved_plan, release, "en"))
    assert "Two moves" in first
    assert "coordinator" in first
    assert "at most 2 units move" in second
    for planned in summary.moves:
        assert Speech("en", geography.read_areas(release.areas_file)).name_area(planned.end) in first


def test_numbers_and_days_are_written_in_the_way_of_the_language(areas):
    en, sq, el = (Speech(language, areas) for language in LANGUAGES)
    assert [t.format_number(12345.6, 1) for t in (en, sq, el)] == ["12,345.6", "12\u00a0345,6", "12.345,6"]
    assert [t.format_percent(0.953) for t in (en, sq, el)] == ["95\u00a0%", "95%", "95%"]
    assert [t.format_day("2026-11-25") for t in (en, sq, el)] == [
        "25 November 2026",
        "25 nëntor 2026",
        "25 Νοεμβρίου 2026",
    ]
    assert (en.format_change(4.06), en.format_change(-0.8), en.format_change(0.01), en.format_number(None)) == (
        "+4.1",
        "−0.8",
        "0",
        "–",
    )
    assert (en.format_chance(0.9991), en.format_chance(0.0), en.format_chance(0.5)) == (
        "over 99\u00a0%",
        "under 1\u00a0%",
        "50\u00a0%",
    )
    assert en.format_gain(Estimate(21.3, 9.0, 35.1)) == "+21 (9 to 35)"
    assert el.format_gain(Estimate(4.1, -1.23, 7.0)) == "+4,1 (−1,2 έως 7,0)"


def test_areas_are_named_in_the_language(areas):
    en, sq, el = (Speech(language, areas) for language in LANGUAGES)
    assert [t.name_area("AL-11") for t in (en, sq, el)] == ["Tirana", "Tiranë", "Τίρανα"]
    assert [t.name_area("GR-I") for t in (en, sq, el)] == ["Attica", "Atika", "Αττική"]
    assert el.name_area("nowhere") == "nowhere"


def test_flows_add_up_the_units_of_all_kinds():
    moves = [move("AL-11", "AL-02", "outreach team", 2), move("GR-I", "GR-B", "school", 1),
             move("GR-I", "GR-B", "outreach team", 3)]  # fmt: skip
    plan = saved("2026-01-001", moves=moves).summary
    assert plan.sum_flows() == [("GR-I", "GR-B", 4), ("AL-11", "AL-02", 2)]


def test_the_map_draws_every_area_and_the_flows_between_those_that_it_knows(areas):
    flows = [("GR-I", "AL-11", 2), ("GR-I", "nowhere", 1)]
    bare, drawn = (map.draw_map(areas, map.colour_shares({"GR-I": 0.5}), arrows) for arrows in ((), flows))
    shapes = len(areas.map_geometry("region")["features"])
    assert bare.count('stroke="#fff" stroke-width="1.4"') == shapes
    assert drawn.count("<circle") == 1
    assert bare.count("<circle") == 0
    assert [map.find_class(share) for share in (0.0, 0.094, 0.1, 0.34, 0.35, 0.5, 1.0)] == [0, 0, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(("children", "words"), [(1, "about 1 child)"), (2, "about 2 children)")])
def test_a_task_of_one_child_is_no_plural(release, areas, children, words):
    task = HandedOverTask("AL-11", "ARSIS", "prevention", children, "school", 1)
    stays = StayingTask("AL-11", "ARSIS", "prevention", children, "no_room", 0, at_least=False)
    plan = replace(saved(release.name).summary, handover=(task,), stays=(stays,))
    assert all(words in line for line in moves.list_handover(Speech("en", areas), plan))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_map_has_the_classes_of_the_page_reallocate(release, areas, language):
    document = Document(saved(release.name), release, Speech(language, areas))
    with speak(language):
        legend = describe_layer(follow_release(release), saved(release.name).summary, "today").labels
    labels = [row["label"].replace("\u00a0", " ") for row in document.write_common()["map"]["legend"]]
    assert labels == list(legend)


def test_names_on_the_map_are_never_markup(areas):
    drawn = map.draw_map(areas, {}, (), {"GR-I": "<script>&"})
    assert "&lt;script&gt;&amp;" in drawn
    assert "<script" not in drawn


def test_a_name_without_room_is_left_out(areas):
    names = [(f"Long name {n}", (500.0, 500.0)) for n in range(20)]
    assert 1 <= len(list(map.place_names(names, [], (1000.0, 1000.0), 30.0))) < 20
    assert len(list(map.place_names([("One", (5.0, 5.0))], [], (1000.0, 1000.0), 30.0))) == 1


def test_the_public_tier_has_other_readers(scored):
    public = Release.open(scored.releases, "public", derived=scored.derived)
    for page in nonempty(text(briefing.make_pdf(saved(public.name, tier="public"), public))):
        assert "Partner tier" not in page
        assert "Public tier" in page
