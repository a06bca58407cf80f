"""The map is opened by a link to one of its views. (That each page opens by its own: test_layout.py)"""

import pytest

from tests.helpers.browser import until

pytestmark = pytest.mark.browser


@pytest.mark.long
def test_the_first_page_keeps_its_view_in_the_address_wherever_it_was_opened(partner, look):
    page = look(f"{partner.url}/map?layer=services&area=AL-11")
    assert "layer=services" in page.url
    assert page.locator(".panel h2").inner_text() == "Tirana"
    page.get_by_role("radio", name="Outreach", exact=True).click()
    until(page, lambda: "layer=effort" in page.url)
    assert page.locator("[role=dialog]").count() == 0


@pytest.mark.long
def test_a_place_in_the_address_that_is_none_is_passed_over(partner, look):
    page = look(f"{partner.url}/map?at=41.3.1,19.8,9")
    assert page.locator(".legend").is_visible()
