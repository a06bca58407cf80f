"""Hold a meeting in browsers as people do: open it, fill its agenda, record decisions, and download its papers."""

from __future__ import annotations

from typing import Any

from pypdf import PdfReader

from tests.helpers.browser import settle, until, wait_for_bar


def open_room(page: Any) -> str:
    """Open a meeting in a window; return the address of the meeting without the scheme."""
    page.get_by_role("button", name="Meeting", exact=True).click()
    address = page.locator(".meetingpanel .address")
    address.wait_for()
    text = str(address.inner_text())
    page.keyboard.press("Escape")
    return text


def say(page: Any) -> str:
    """Return the text of the meeting's line."""
    return str(page.locator(".meetingline p").inner_text())


def go(page: Any, number: int) -> None:
    """Open a page by its number in the bar, counted from 0."""
    page.locator(".topbar nav a").nth(number).click()


def add_view(page: Any, sentence: str, title: str = "") -> None:
    """Add the view of a page to the newest agenda or, with a title, to that of a new meeting."""
    wait_for_bar(page)
    settle(page)
    button = page.get_by_role("button", name="Add to an agenda")
    # The menu closes when the bar is drawn again.
    until(page, lambda: button.count() or page.locator(".topbar .share summary").click())
    button.click()
    page.get_by_role("textbox", name="One sentence").wait_for()
    if title:
        choose(page, "To the agenda of", "A new meeting")
        page.get_by_label("Title of the meeting").fill(title)
    page.get_by_role("textbox", name="One sentence").fill(sentence)
    page.get_by_role("button", name="Add to the agenda").click()
    page.get_by_text("The view is on the agenda.").wait_for()


def choose(page: Any, label: str, words: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=words).click()
    settle(page)


def decide(page: Any, what: str, who: str) -> None:
    """Record a decision beside the view that is shown, and wait until it is listed."""
    page.get_by_role("textbox", name="What is decided").fill(what)
    page.get_by_role("combobox", name="Who does it").click()
    page.keyboard.type(who)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Minute this decision").click()
    page.locator(".st-key-decide li", has_text=what).wait_for()


def read_paper(page: Any, link: Any, pages: int) -> str:
    """Download a PDF by a link or button, check that it has `pages` pages, and return its text."""
    with page.expect_download() as download:
        link.click()
    paper = PdfReader(download.value.path())
    assert len(paper.pages) == pages
    return " ".join(" ".join(part.extract_text() for part in paper.pages).split())
