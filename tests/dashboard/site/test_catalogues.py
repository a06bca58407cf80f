"""Catalogues: the product uses a translator's text as it is, and every text of the briefing is in them."""

import ast
import gettext
import importlib
import io
import re
import string
from functools import cache

import pytest

from dashboard import briefing
from dashboard.site import catalogues
from dashboard.web.page_list import PAGES
from data.reference import area_table
from scripts.messages import find_messages, list_messages, update_catalogue
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT

LANGUAGES = [language for language in briefing.LANGUAGES if language != "en"]
PRODUCT = catalogues.FOLDER.parents[2]
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


@cache
def list_every():
    """List the messages of the product. It takes seconds, which the other tests need not wait for."""
    return frozenset(list_messages())


def read_entries(language):
    file = catalogues.FOLDER / language / "LC_MESSAGES" / "tact.po"
    return catalogues.parse_entries(file.read_text(encoding="utf-8"))


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_one_name_wherever_it_is_named(language):
    """What tells a reader to go to a page calls it as the bar does, in the place of its English name."""
    read, named = catalogues.load_catalogue(language), 0
    for entry in PAGES:
        for key in list_every():
            singular, _zero, plural = key.partition("\0")
            if re.search(rf"\b(the page|page) \*?{entry.title}\b|\b{entry.title} page\b", singular):
                texts = [read.ngettext(singular, plural, n) for n in (1, 2)] if plural else [read.gettext(singular)]
                assert all(read.gettext(entry.title) in text for text in texts), (entry.title, texts)
                named += 1
    assert named


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
    assert {"Keep things as they are", "January", "{count} more\0{count} more"} <= list_every()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_has_a_translation(language):
    entries = read_entries(language)
    assert not sorted(message for message in list_every() if not all(entries.get(message, ("",))))
    assert all(len(entries[message]) == 1 + ("\0" in message) for message in list_every())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_that_names_a_page_names_it_as_the_bar_does(language):
    entries = read_entries(language)
    title = entries["Reallocate"][0]
    naming = [message for message in list_every() if "the Reallocate page" in message]
    assert naming
    assert all(title in text for message in naming for text in entries[message])


def list_texts(value):
    """List the texts that a constant holds: itself, or those of its values."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for part in value for text in list_texts(part)] if isinstance(value, list | tuple) else []


def find_constants(module, function, call):
    """Yield the texts that constants of a module may give a call: TABLE[x], TABLE.get(x), TABLE, row.field.

    For a variable of a function, those are the sentences that the function names.
    """
    part = call.args[0]
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "get":
        part = part.func.value
    if isinstance(part, ast.Subscript):
        part = part.value
    if isinstance(part, ast.Name) and hasattr(module, part.id):
        yield from list_texts(getattr(module, part.id))
    elif isinstance(part, ast.Name):
        named = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        yield from (text for name in named for text in list_texts(getattr(module, name, ())) if " " in text)
    if isinstance(part, ast.Attribute):
        for rows in (value for value in vars(module).values() if isinstance(value, list | tuple)):
            fields = (getattr(row, part.attr, None) for row in rows)
            yield from (field for field in fields if isinstance(field, str))


def find_calls(tree):
    """Yield each call that translates, with the function that it stands in."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", "t"} and node.args:
                yield function, node


@pytest.mark.long
def test_texts_that_are_looked_up_before_they_are_translated_are_messages():
    """A text in a table is a message only with mark(...): without, it stays English in every language."""
    unknown, seen = {}, 0
    for file in sorted((ROOT / "dashboard").rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        calls = list(find_calls(ast.parse(file.read_text(encoding="utf-8"))))
        module = importlib.import_module(name) if calls else None
        for function, call in calls:
            texts = set(find_constants(module, function, call))
            seen += len(texts)
            if texts - list_every():
                unknown[f"{name}:{call.lineno}"] = texts - list_every()
    assert seen > 100
    assert not unknown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_each_message_of_the_product_once_and_no_other(language):
    file = catalogues.FOLDER / language / "LC_MESSAGES" / "tact.po"
    text = file.read_text(encoding="utf-8")
    assert {key for key in read_entries(language) if key and not key.startswith("area\x04")} == list_every(), (
        "run: make messages"
    )
    assert text.count("\nmsgid ") == len(read_entries(language))


def test_new_messages_join_a_catalogue_and_what_is_gone_leaves_it(tmp_path):
    source = tmp_path / "page.py"
    source.write_text(
        'LONG = "Named"\n_("New {n}", n=1)\n_(LONG)\nmark("A" if x else "B")\nt.format_plural("a", "b", 2)'
    )
    messages = list(find_messages(source))
    assert messages == ["New {n}", "Named", "A", "B", "a\0b"]
    text = update_catalogue(PO, dict.fromkeys([*messages, "untold"], "page.py"))
    entries = catalogues.parse_entries(text)
    assert entries["New {n}"] == ("",)
    assert entries["a\0b"] == ("", "")
    assert entries["area\x04Crete"] == ("Kreta",)
    assert 'One "line"' not in entries
    assert update_catalogue(text, dict.fromkeys([*messages, "untold"], "page.py")) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_hold_the_same_values(language):
    for message, texts in nonempty(read_entries(language).items()):
        for text in texts if message else ():
            assert not text or fields(text) == fields(message.split("\0")[0]), message


@pytest.mark.parametrize(("language", "away"), [("sq", "GR"), ("el", "AL")])
def test_areas_of_the_other_country_have_a_name(language, away):
    areas = area_table()
    named = areas[(areas["country"] == away) & (areas["level"] != "municipality")]["name_en"]
    assert {f"area\x04{name}" for name in named} <= set(read_entries(language))
