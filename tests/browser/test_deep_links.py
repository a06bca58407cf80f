"""Each page, also the first one, opens under its own address and is in the navigation once."""

import pytest

from dashboard.web.navigation import PAGES
from tests.helpers.browser import until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("address", [page.address for page in PAGES])
def test_a_page_opens_under_its_own_address(partner, look, address):
    page = look(f"{partner.url}/{address}", ready=False)
    page.locator(".topbar").wait_for(timeout=30_000)
    until(page, lambda: page.locator("[data-testid=stMain]").inner_text().strip() != "")
    page.wait_for_timeout(700)
    assert page.locator("[data-testid=stDialog], [role=dialog]").count() == 0
    assert page.locator(".topbar nav a").all_inner_texts() == [entry.title for entry in PAGES]


def test_the_first_page_keeps_its_view_in_the_address_wherever_it_was_opened(partner, look):
    page = look(f"{partner.url}/map?layer=services&area=AL-11")
    assert "layer=services" in page.url
    assert page.locator(".panel h2").inner_text() == "Tirana"
    page.get_by_role("radio", name="Outreach", exact=True).click()
    until(page, lambda: "layer=effort" in page.url)
    assert page.locator("[role=dialog]").count() == 0
