"""Markup of the product: Streamlit sends it as it is, without a search of each line."""

import pytest
import streamlit as st
from streamlit.elements import html as streamlit_html

from dashboard.site.text import html, join_markup


@pytest.fixture
def searched(monkeypatch):
    texts = []
    monkeypatch.setattr(streamlit_html, "clean_text", lambda text: texts.append(text) or str(text))
    return texts


def test_streamlit_searches_no_markup_for_a_margin(searched):
    part = html("<p>{}</p>", "a < b")
    st.html(part)
    st.html(join_markup([part, "c & d", html("<i>{n}</i>", n=part)]))
    assert not searched
    st.html("<p>a text of another kind</p>")
    assert len(searched) == 1


def test_markup_that_streamlit_takes_is_escaped_as_before():
    part = html("<p>{}</p>", "a < b")
    assert join_markup([part, "c & d"])._repr_html_() == "<p>a &lt; b</p>c &amp; d"
    assert type(part._repr_html_()) is str
