"""Texts: markup that Streamlit sends as it is, without a search of each line, and numbers in messages."""

import pytest
import streamlit as st
from streamlit.elements import html as streamlit_html

from dashboard.site.text import html, join_markup, order_name, speak, translate_message
from data.message import Message


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


@pytest.mark.parametrize(("language", "number"), [("en", "20,000"), ("sq", "20\u00a0000"), ("el", "20.000")])
def test_a_number_in_a_message_has_the_thousands_of_the_language(language, number):
    text = Message("Sheet {sheet} has more than {most:,} rows. Save it as CSV and import that.", sheet=2, most=20_000)
    with speak(language):
        assert number in translate_message(text)


def test_names_are_in_alphabetical_order_and_an_accent_moves_none():
    greek, albanian = (
        ["Ήπειρος", "Αττική", "Ιόνια Νησιά", "Ανατολική"],
        ["Vlorë", "Dibër", "Çorovodë", "Durrës", "Berat"],
    )
    assert sorted(greek, key=order_name) == ["Ανατολική", "Αττική", "Ήπειρος", "Ιόνια Νησιά"]
    assert sorted(albanian, key=order_name) == ["Berat", "Çorovodë", "Dibër", "Durrës", "Vlorë"]
