"""Catalogues: the product uses a translator's text as it is, and every text of the briefing is in them."""

import gettext
import io
import string

import pytest

from dashboard import briefing
from dashboard.site import catalogues
from data.reference import area_table
from data.tables.states import WORDS
from scripts.messages import find_messages, list_messages, update_catalogue

LANGUAGES = [language for language in briefing.LANGUAGES if language != "en"]
PRODUCT = catalogues.FOLDER.parents[2]
EVERY = set(list_messages())
# What is wholly translated. A page that is rebuilt joins when it is done.
TRANSLATED = (
    "dashboard/briefing",
    "dashboard/web",
    "dashboard/map",
    "dashboard/pages/coverage",
    "dashboard/pages/flows",
    "dashboard/pages/overview",
    "dashboard/pages/situation",
    "dashboard/pages/trends",
    "dashboard/widgets",
    "dashboard/site",
    "geo/layers/core",
    "geo/layers/profile",
    "geo/layers/reading",
    *(f"geo/layers/{name}.py" for name in ("__init__", "access", "communities", "effort", "encounters", "population")),
    *(f"geo/layers/{name}.py" for name in ("referrals", "risk", "roma_figures", "services")),
    *(
        f"dashboard/narrative/{name}.py"
        for name in ("access", "answer", "area", "detection", "evaluation", "moves", "plan", "risk", "shift", "speech")
    ),
)
MARKED = set(list_messages(*TRANSLATED)) | set(WORDS.values())
PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

# A remark.
msgid "One \\"line\\""
msgstr ""
"Një "
"rresht"

msgctxt "area"
msgid "Crete"
msgstr "Kreta"

msgid "{count} move"
msgid_plural "{count} moves"
msgstr[0] "{count} zhvendosje"
msgstr[1] "{count} zhvendosjet"

msgid "untold"
msgstr ""
"""


def read_entries(language):
    file = catalogues.FOLDER / language / "LC_MESSAGES" / "tact.po"
    return catalogues.parse_entries(file.read_text(encoding="utf-8"))


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_a_catalogue_says_what_stands_in_its_file():
    read = gettext.GNUTranslations(io.BytesIO(catalogues.compile_catalogue(catalogues.parse_entries(PO))))
    assert read.gettext('One "line"') == "Një rresht"
    assert read.pgettext("area", "Crete") == "Kreta"
    assert read.gettext("Crete") == "Crete"
    assert read.ngettext("{count} move", "{count} moves", 1) == "{count} zhvendosje"
    assert read.ngettext("{count} move", "{count} moves", 3) == "{count} zhvendosjet"
    assert read.gettext("untold") == "untold"


def test_english_needs_no_catalogue():
    assert catalogues.load_catalogue("en").gettext("Today") == "Today"


def test_the_messages_are_found_in_the_source():
    assert {"Advice: change nothing", "January", "{count} more\0{count} more"} <= EVERY


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_what_is_translated_has_a_translation(language):
    entries = read_entries(language)
    missing = sorted(one for one in MARKED if not all(entries.get(one, ("",))))
    assert not missing
    assert all(len(entries[one]) == 1 + ("\0" in one) for one in MARKED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_each_message_of_the_product_once_and_no_other(language):
    file = catalogues.FOLDER / language / "LC_MESSAGES" / "tact.po"
    text = file.read_text(encoding="utf-8")
    assert {one for one in read_entries(language) if one and not one.startswith("area\x04")} == EVERY, (
        "run: make messages"
    )
    assert text.count("\nmsgid ") == len(read_entries(language))


def test_new_messages_join_a_catalogue_and_what_is_gone_leaves_it(tmp_path):
    source = tmp_path / "page.py"
    source.write_text(
        'LONG = "Named"\n_("New {n}", n=1)\n_(LONG)\nmark("A" if x else "B")\nt.format_plural("a", "b", 2)'
    )
    found = list(find_messages(source))
    assert found == ["New {n}", "Named", "A", "B", "a\0b"]
    text = update_catalogue(PO, dict.fromkeys([*found, "untold"], "page.py"))
    entries = catalogues.parse_entries(text)
    assert entries["New {n}"] == ("",)
    assert entries["a\0b"] == ("", "")
    assert entries["area\x04Crete"] == ("Kreta",)
    assert 'One "line"' not in entries
    assert update_catalogue(text, dict.fromkeys([*found, "untold"], "page.py")) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_hold_the_same_values(language):
    for message, texts in read_entries(language).items():
        for text in texts if message else ():
            assert not text or fields(text) == fields(message.split("\0")[0]), message


@pytest.mark.parametrize(("language", "away"), [("sq", "GR"), ("el", "AL")])
def test_areas_of_the_other_country_have_a_name(language, away):
    areas = area_table()
    named = areas[(areas["country"] == away) & (areas["level"] != "municipality")]["name_en"]
    assert {f"area\x04{name}" for name in named} <= set(read_entries(language))
