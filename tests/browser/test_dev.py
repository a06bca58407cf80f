"""`tact serve --dev`: an engineer changes a page and sees it, without a restart and without signing in again."""

import shutil

import pytest

from tests.helpers.browser import settle, until
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.browser(seconds=15)
FILE = "dashboard/pages/method/__init__.py"
RIGHT, CHANGED, BROKEN = 'st.title(_("Method")', 'st.title(_("Words of an engineer")', 'st.title(_("Method"'


def test_a_changed_word_is_shown_by_itself_and_a_fault_says_where_it_is(serve, releases, look, tmp_path):
    for name in ("dashboard", "data", "geo", "risk", "tact"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / FILE
    text = file.read_text(encoding="utf-8")
    assert text.count(RIGHT) == 1
    served = serve(releases, "--dev", code=tmp_path)
    page = look(f"{served.url}/method", ready=False)
    title = page.locator("h1").first
    until(page, lambda: title.text_content() == "Method")
    settle(page)
    file.write_text(text.replace(RIGHT, CHANGED), encoding="utf-8")
    until(page, lambda: title.text_content() == "Words of an engineer")
    file.write_text(text.replace(RIGHT, BROKEN), encoding="utf-8")
    until(page, lambda: "SyntaxError" in page.locator("[data-testid=stCode]").last.text_content())
    file.write_text(text, encoding="utf-8")
    until(page, lambda: title.text_content() == "Method")
    until(page, lambda: page.locator("[data-testid=stCode]").filter(has_text="SyntaxError").count() == 0)
    assert page.watch.clean, vars(page.watch)
