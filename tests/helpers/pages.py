"""Run a single page as a reader of one tier opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.site import Site, current_release, text
from dashboard.site.current_release import CurrentRelease
from data.tables.spec import Tier
from tests.conftest import Scored


def open_page(
    monkeypatch: pytest.MonkeyPatch,
    scored: Scored,
    module: str,
    tier: Tier = "partner",
    *,
    derived: Path | str | None = None,
    releases: Path | None = None,
    state: Mapping[str, Any] | None = None,
    **address: str,
) -> AppTest:
    """Run the page of a module, check that it raises no error, and return it.

    derived : folder of results, by default that of `scored`; an empty text for none. address : its query parameters.
    """
    monkeypatch.setenv("TACT_RELEASES", str(releases or scored.releases))
    monkeypatch.setenv("TACT_TIER", tier)
    monkeypatch.setenv("TACT_DERIVED", str(scored.derived if derived is None else derived))
    test = AppTest.from_string(f"from dashboard.pages import {module}\n{module}.show()", default_timeout=60)
    for name, value in (state or {}).items():
        test.session_state[name] = value
    test.query_params.update(address)
    test.run()
    assert not test.exception, test.exception
    return test


def run_framed_page(monkeypatch, releases, derived, module: str, tier: str = "partner") -> str:
    """Return the text of a page inside the frame that all pages share, with the results in the folder `derived`."""
    from streamlit.navigation.page import StreamlitPage

    from dashboard.web import navigation
    from dashboard.web.page_list import PAGES

    for name, value in (("RELEASES", releases), ("TIER", tier), ("DERIVED", derived)):
        monkeypatch.setenv(f"TACT_{name}", str(value))
    entry = next(page for page in PAGES if page.module == module)
    monkeypatch.setattr(navigation.st, "navigation", lambda pages, **_: pages[PAGES.index(entry)])
    monkeypatch.setattr(StreamlitPage, "run", lambda _self: navigation._load_show(entry)())
    test = AppTest.from_string("from dashboard.web import navigation\nnavigation.run_page()", default_timeout=120)
    test.run()
    assert not test.exception, test.exception
    assert not test.error, [element.value for element in test.error]
    return read_text(test)


def read_text(test: AppTest) -> str:
    """Return the text of a page's own markup, without tags."""
    bodies = (element.proto.body for element in test.get("html"))
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(bodies)))


def read_unfolded(test: AppTest) -> str:
    """Return the text of a page that is visible without opening a fold-out."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", words)) for words in _list_unfolded(test.main))


def count_words(text: str) -> int:
    """Return the number of words in a text; numbers and signs do not count."""
    return sum(any(letter.isalpha() for letter in word) for word in text.split())


def _list_unfolded(block: Any) -> Iterator[str]:
    for child in block.children.values():
        if child.type in ("expander", "popover"):
            continue
        if hasattr(child, "children"):
            yield from _list_unfolded(child)
        elif child.type == "html":
            body = re.sub(r'<div class="names" aria-hidden="true">.*?</div>', "", child.proto.body)  # of areas on a map
            yield re.sub(r"<(details|script).*?</\1>", "", body, flags=re.DOTALL)
        else:
            # For a widget, its label and its choices (for a menu, the chosen one); for any other element, its text.
            label = getattr(child.proto, "label", "")
            if child.type in ("selectbox", "number_input") and child.proto.label_visibility.value:
                yield str(child.value)  # a menu or a number in a sentence: its label is for screen readers
                continue
            offered = [child.value] if child.type in ("selectbox", "select_slider") else getattr(child, "options", ())
            parts = [label, *offered, *getattr(child.proto, "captions", ())] if label else [getattr(child, "value", "")]
            yield " ".join(map(str, parts))


def speak_on_pages(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """Set the language of the pages that a test opens."""
    monkeypatch.setattr(text, "_finders", [lambda: language])


def open_current(scored: Scored, tier: Tier = "partner") -> CurrentRelease:
    """Open the newest release of a tier with the results of the model."""
    current = current_release.open_current_release(Site(scored.releases, tier, derived=scored.derived))
    assert current is not None
    return current
