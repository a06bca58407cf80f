"""The desk in a browser: an everyday Albanian list goes in, is listed, and is taken back."""

import pytest

from dashboard.desk import frame
from data.restricted.vault import open_vault
from tests.conftest import move_home
from tests.helpers.browser import settle, until, watch
from tests.helpers.desk import make_desk, start_desk
from tests.helpers.messy_files import write_book
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.browser(seconds=35)
LAPTOP = {"width": 1366, "height": 768}

LIST = write_book(
    "lista",
    {
        "Lista": [
            ("QENDRA E SHPIKUR (të dhëna të shpikura)",),
            ("Lista e fëmijëve në situatë rruge, mars 2008",),
            ("Data e takimit", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Forma e shfrytëzimit", "Si u gjet"),
            ("4.3.08", "Tiranë", "Q-0412", "M", 11, "Lypje", "ekipi në terren"),
            ("5.3.08", "Elbasan", "Q-0413", "F", "8 vjeç", "punë në rrugë", "raportuar nga shkolla"),
            ("5.3.08", "Durrës", "Q-0414", "vajzë", "14", "lypës", "policia"),
        ]
    },
)
CODES = ("Q-0412", "Q-0413", "Q-0414")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Use the home of the tests (`own_home`) for the one desk of this file: its keys are there."""
    with pytest.MonkeyPatch.context() as patch:
        move_home(patch, tmp_path_factory.getbasetemp() / "home")
        yield


@pytest.fixture(scope="module")
def desk(home, tmp_path_factory):
    return make_desk(tmp_path_factory.mktemp("desk"))[0]


@pytest.fixture(scope="module")
def opened(browser, desk):
    """Yield a page of the running desk, and the desk as `tact desk` started it; one for all tests of this file."""
    context = browser.new_context(viewport=LAPTOP)
    with start_desk(desk.workspace.path) as started:
        page = context.new_page()
        page.watch = watch(context, page)
        page.goto(started.address)
        page.locator("h1").wait_for(timeout=60_000)
        yield page, started
    context.close()


def choose(page, label, text, *, exact=True):
    box = page.get_by_role("combobox", name=label, exact=exact).first
    box.click()
    box.fill(text)
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    settle(page)


def list_imports(desk):
    with open_vault(desk.workspace) as vault:
        return [(entry["partner"], entry["accepted"]) for entry in vault.list_imports()]


def test_a_list_goes_in_with_one_question_and_is_taken_back(opened, desk, tmp_path):
    page, started = opened
    choose(page, "Whose files are they?", "Qendra")
    page.locator("input[type=file]").set_input_files(LIST(tmp_path))
    page.locator(".filehead").wait_for()
    assert "headings in row 3 of sheet 1 · 3 rows below · Qendra" in page.locator(".filehead p").inner_text()
    for label, text in (("Stage", "at risk"), ("Pathway", "internal"), ("Axis", "protection")):
        choose(page, label, text)
    page.get_by_role("button", name="Answer").click()
    page.locator(".counts").wait_for()
    assert page.locator(".counts").inner_text() == "An import would do this: 3 rows are new"
    page.get_by_text("The first rows, as they would be read").click()
    assert page.locator(".wordtable td", has_text="•••").count() == 3
    assert not [code for code in CODES if code in page.content()]
    assert list_imports(desk) == []
    page.get_by_role("button", name="Import it").click()
    until(page, lambda: page.locator(".filehead .state").inner_text() == "imported")
    assert list_imports(desk) == [("Qendra", 3)]
    page.locator("nav a", has_text="Imports").click()
    page.locator(".wordtable td", has_text="Qendra").wait_for()
    choose(page, "Take back an import", "1")
    page.get_by_text("3 records go away.").wait_for()
    page.get_by_text("Yes, take it back").click()
    page.get_by_role("button", name="Take back import 1").click()
    page.get_by_text("Import 1 was taken back.").wait_for()
    assert list_imports(desk) == []
    assert page.title() == f"Imports · {frame.NAME}"
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert not [word for word in (*CODES, "Qendra", "lista") if word in stored]
    assert not [word for word in (*CODES, "Qendra", "lista") if word in started.read_log()]
    assert page.watch.outside + page.watch.errors == []


VIEWS = [("sq", (1366, 768)), ("el", (1024, 768)), ("el", (390, 844)), ("sq", (390, 844))]


@pytest.mark.long
@pytest.mark.parametrize(
    "cases",
    [
        [(entry, *VIEWS[number % len(VIEWS)]) for number, entry in enumerate(frame.PAGES)],
        [(entry, *view) for view in VIEWS for entry in frame.PAGES],
    ],
)
def test_each_page_fits_its_screen_and_axe_finds_nothing(opened, cases):
    from axe_playwright_python.sync_playwright import Axe

    page, started = opened
    for entry, language, size in nonempty(cases):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{started.url}/{entry.address}?lang={language}")
        page.locator(".st-key-desk h1").wait_for(timeout=60_000)
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (entry, size)
        violations = Axe().run(page, context=".st-key-top, .st-key-desk .deskhead").response["violations"]
        assert not violations, [(violation["id"], violation["nodes"][0]["html"]) for violation in violations]


def test_who_locks_the_desk_locks_every_page_of_it(opened):
    """The last test of this file: nobody unlocks the desk again."""
    page, started = opened
    page.set_viewport_size(LAPTOP)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(f"{started.url}/?lang=en")
        tab.locator(".st-key-desk h1").wait_for(timeout=60_000)
    page.get_by_role("button", name="Lock the desk").click()
    for tab in (page, other):
        tab.get_by_role("heading", name="The desk is locked").wait_for(timeout=20_000)
        assert tab.locator("input[type=file]").count() == 0
