"""Find areas by name or code: in Latin, Albanian and Greek spelling, with any case and accents.

A text that means exactly one area gives this area. A town or village that is not an area is read as the municipality
in which it lies. If a text could mean two areas, or none, nothing is guessed: the caller gets the reason and the most
similar areas.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TypeAlias

import pandas as pd

from data.personal.given_names import is_given_name
from data.reference import area_table, list_predecessors, name_table
from data.schema import Finding, area_word
from data.schema.words import index_codes, look_up
from geo.places.spelling import list_inflections, plain_key, sound_key, sound_word

_Index: TypeAlias = dict[str, set[str]]  # the codes of the areas that have a key

_CODE_COLUMNS = ("nuts", "hasc", "hasc_alt", "geonames")
_KINDS = {
    "municipality": (
        r"δημο[συ]|δ|dimo[su]|dhimos|municipality(?: of)?|municipal unit(?: of)?|city of"
        r"|bashki(?:a|se|ne)?(?: (?:e|se|i))?|komuna(?: e)?"
    ),
    "region": (
        r"περιφερεια[σ]?|perif[e]?re?ia[s]?|region of|administrative region of"
        r"|qark(?:u|ut|un)?(?: (?:i|e|te))?|county of|prefecture of"
    ),
}
_AFTER = {"municipality": "municipality|bashki|δημοσ", "region": "county|region|qark"}
_KIND_WORDS = {level: re.compile(rf"^(?:{words})\s+(?=\S)|\s+(?:{_AFTER[level]})$") for level, words in _KINDS.items()}
_WHOLE_FLOAT = re.compile(r"^(\d+)\.0+$")
_HINT = re.compile(r"^(?P<name>[^(),]+?)\s*(?:\((?P<inside>[^()]+)\)|,\s*(?P<after>[^(),]+))\s*$")
_GREEK = re.compile(r"[α-ωά-ώ]", re.IGNORECASE)
_NEAREST = 3
_MOST_SOUNDS = 20_000  # words
_NEAR = 0.82  # Of 1: one letter wrong in five or six. Below it London came near to Dodoni.


@dataclass(frozen=True)
class Match:
    """The result of a search: one area's code, or the reason why there is none and similar areas.

    `finding` is the result in one word (data/schema); `reason` repeats the text. `named` holds the codes that the
    text names (of a successor of 2019, its own code) or, for `several`, the codes that the text may mean. `respelled`:
    the text names the area only by its sound, or names a town in it. If `finding` is "town", `candidates` holds the
    municipality of the town: a village elsewhere may have the same name.
    """

    code: str | None
    reason: str = ""
    candidates: tuple[str, ...] = ()
    finding: Finding = "one"
    named: frozenset[str] = field(default=frozenset(), compare=False)
    respelled: bool = field(default=False, compare=False)


class Places:
    """An index of every name and code of the areas, built once."""

    def __init__(self, areas: pd.DataFrame, towns: pd.DataFrame | None = None) -> None:
        """Index tables from `area_table` and `town_table` of `data.reference`; without `towns`, no town is found."""
        self._country = _column(areas, "country")
        self._level = _column(areas, "level")
        self._parent = _column(areas, "parent")
        self._name = _column(areas, "name_en")
        self._local = _column(areas, "name_local")
        self._older = list_predecessors(areas)
        index: dict[str, set[str]] = defaultdict(set)
        for code, row in zip(areas.index, areas[list(_CODE_COLUMNS)].to_numpy(), strict=True):
            for alias in (code, *row):
                if alias:
                    index[alias.upper()].add(code)
        self._codes = dict(index)
        self._spellings, *indices = _index_names(tuple(_given_names(areas)), tuple(_other_cases(areas)))
        # The sounds, and what is near them, are forgotten with this index: they may be words of records.
        self._sound_key = partial(sound_key, sound=lru_cache(_MOST_SOUNDS)(sound_word))
        # From the most to the least reliable comparison; the first that finds anything decides.
        ways: tuple[Callable[[str], str], ...] = (plain_key, self._sound_key, self._sound_key)
        self._readings = tuple(zip(ways, indices, strict=True))
        named = () if towns is None else tuple(towns[["code", "name"]].itertuples(index=False, name=None))
        self._towns = _index_towns(named, tuple(self._country.items()))
        self._near_towns, self._near_areas = (
            lru_cache(_MOST_SOUNDS)(partial(difflib.get_close_matches, possibilities=index, n=most, cutoff=_NEAR))
            for index, most in ((self._towns, _NEAREST), (self._readings[1][1], 4 * _NEAREST))
        )

    def resolve(self, text: str, country: str | None = None, level: str | None = "municipality") -> Match:
        """Find the one area that a code or name means.

        `country` ("AL", "GR") and `level` ("country", "region", "municipality"; None for any) narrow the search; level
        "abroad" finds countries, by the codes of ISO 3166. A municipality of 2019 resolves to the one that it was split
        from. Unless exactly one area fits, `code` is None, `reason` says why, and `candidates` holds the names and
        codes of areas that may be meant.
        """
        text = text.strip() if isinstance(text, str) else ""
        if not text:
            return Match(None, "No area is given.", finding="none")
        if level == "abroad":
            abroad = index_codes("abroad.country")
            code = (
                text if text in abroad.values() else look_up(abroad, text) or self.resolve(text, level="country").code
            )
            return Match(code, finding="one" if code else "none", named=frozenset({code} if code else ()))
        fits = self._by_code(text) or self._by_name(text, country, level)
        hint = None if fits else _HINT.match(text)
        if hint and (inside := self._read(hint["inside"] or hint["after"], None, None)):
            towns = {code for code in self._find_towns(hint["name"]) if inside & self._list_around(code)}
            names = self._labels(towns | self._narrow(self._read(hint["name"], country, level), country, level))
            if names:
                return Match(None, f"{text!r} names two places that are apart.", names, "apart")
        return self._decide(text, fits, country, level)

    def find(self, text: str, country: str | None = None, level: str | None = "municipality") -> set[str]:
        """Return the codes of all areas that a name may mean; a successor is not replaced by its predecessor.

        Empty when no area of this country and level has the name.
        """
        return self._narrow(self._by_name(text.strip(), country, level), country, level)

    def find_code(self, text: str) -> set[str]:
        """Return the codes of the areas that a code means (of any system); empty if there is none.

        Only municipalities, and regions without one, are found.
        """
        codes = self._by_code(text.strip())
        outer = set(self._parent.values())
        return {code for code in codes if code not in outer}

    def label(self, code: str) -> str:
        """Return an area's name, its parent area and its code, as one text for a message.

        Raises KeyError for an unknown code.
        """
        return f"{self._placed(code)} ({code})"

    def _placed(self, code: str) -> str:
        parent = self._name.get(self._parent.get(code, ""), "")
        return f"{self._name[code]}, {parent}" if parent else self._name[code]

    def _by_code(self, text: str) -> set[str]:
        whole = _WHOLE_FLOAT.match(text)
        return self._codes.get(whole[1] if whole else text.upper(), set())

    def _by_name(self, text: str, country: str | None, level: str | None) -> set[str]:
        fits = self._read(text, country, level)
        hint = _HINT.match(text)
        if fits or not hint:
            return fits
        inside = self._read(hint["inside"] or hint["after"], country, None)
        named = self._read(hint["name"], country, level)
        return {code for code in named if inside & self._list_around(code)}

    def _list_around(self, code: str) -> set[str]:
        return {code, self._parent[code], self._country[code]}

    def _find_towns(self, text: str) -> set[str]:
        """Return the municipalities with a town of this name."""
        return {code for form, _ in _strip_kind(plain_key(text)) for code in self._towns.get(self._sound_key(form), ())}

    def _read(self, text: str, country: str | None, level: str | None) -> set[str]:
        """Return the codes that a name means in a country and level, by the most reliable comparison that finds any.

        If none finds any there, returns the codes in other countries and levels. A word for the kind of area overrides
        the level: a text with "county" never means a municipality.
        """
        elsewhere: set[str] = set()
        for form, kind in _strip_kind(plain_key(text)):
            for key_of, index in self._readings:
                matches = index.get(key_of(form), set())
                if codes := self._narrow(matches, country, kind or level):
                    return codes
                elsewhere = elsewhere or matches
            if level == "municipality" and kind != "region" and not is_given_name(form):
                matches = self._towns.get(self._sound_key(form), set())
                if codes := self._narrow(matches, country, level):
                    return codes
        return elsewhere

    def _narrow(self, codes: set[str], country: str | None, level: str | None) -> set[str]:
        return {
            code
            for code in codes
            if (country is None or self._country[code] == country) and (level is None or self._level[code] == level)
        }

    def _decide(self, text: str, codes: set[str], country: str | None, level: str | None) -> Match:
        named = self._narrow(codes, country, level)
        fits = {self._older.get(c, c) for c in named}
        if len(fits) == 1:
            names, is_town = self._labels(fits), self._is_town(text, named)
            match = Match(fits.pop(), named=frozenset(named), respelled=not self._is_spelled(text, named))
            if is_town:
                return replace(match, finding="town", candidates=names)
            if level == "municipality" and self._is_exonym(text, match.code or ""):
                return replace(match, finding="exonym", candidates=(*names, *self._labels(self._find_rivals(text))))
            return match
        if fits:
            names = self._labels(fits)
            return Match(
                None, f"{text!r} may mean {len(names)} areas: {'; '.join(names)}.", names, "several", frozenset(fits)
            )
        if codes:
            return self._elsewhere(text, codes, country, level)
        return self._unknown(text, country, level)

    def _is_spelled(self, text: str, codes: set[str]) -> bool:
        """Return whether a text is a code, or a name of one of the areas `codes`.

        Case, accents and endings of words do not matter.
        """
        if self._by_code(text):
            return True
        hint = _HINT.match(text)
        forms = [form for part in (text, hint["name"] if hint else "") for form, _ in _strip_kind(plain_key(part))]
        return any(self._spellings.get(form, set()) & codes for form in forms)

    def _is_town(self, text: str, codes: set[str]) -> bool:
        """Return whether a text (without a county or country) names a town in one of `codes` but no area itself."""
        if self._by_code(text):
            return False
        forms = [form for form, _ in _strip_kind(plain_key(text))]
        if any(index.get(key_of(form), set()) & codes for form in forms for key_of, index in self._readings):
            return False
        return any(self._towns.get(self._sound_key(form), set()) & codes for form in forms)

    def _is_exonym(self, text: str, code: str) -> bool:
        """Return whether a text is a name of an area in another language: Αυλώνα (Vlorë), Selanik (Thessaloniki)."""
        if self._by_code(text) or self._country[code] == "AL":
            return not self._by_code(text) and bool(_GREEK.search(text))
        sounds = {self._sound_key(name) for name in (self._name[code], *list_inflections(self._local[code], "GR"))}
        hint = _HINT.match(text)
        forms = [form for form, _ in _strip_kind(plain_key(hint["name"] if hint else text))]
        return not _GREEK.search(text) and sounds.isdisjoint(map(self._sound_key, forms))

    def _find_rivals(self, text: str) -> set[str]:
        """Return the municipalities with a town of nearly this sound in the country whose letters the text has."""
        country = "GR" if _GREEK.search(text) else "AL"
        near = self._near_towns(self._sound_key(text)[:60])
        return self._narrow({code for key in near for code in self._towns[key]}, country, None)

    def _elsewhere(self, text: str, codes: set[str], country: str | None, level: str | None) -> Match:
        wanted = f"a {level}" if level else "an area"
        where = f" of {self._name[country]}" if country in self._name else ""
        names = self._labels(codes)
        return Match(None, f"{text!r} is not {wanted}{where}, but {'; '.join(names)}.", names, "elsewhere")

    def _unknown(self, text: str, country: str | None, level: str | None) -> Match:
        index, keys = self._readings[1][1], self._near_areas(self._sound_key(text)[:60])
        codes = [c for key in keys for c in sorted(self._narrow(index[key], country, level))]
        older = dict.fromkeys(self._older.get(code, code) for code in codes)
        names = self._labels(list(older)[:_NEAREST])
        near = f" Perhaps: {'; '.join(names)}." if names else ""
        return Match(None, f"{text!r} is not a known area.{near}", names, "none")

    def _labels(self, codes: Iterable[str]) -> tuple[str, ...]:
        ordered = codes if isinstance(codes, list) else sorted(codes)
        words = {code: area_word(self._level[code], self._country[code]) for code in ordered}
        return tuple(f"{self._placed(code)} ({words[code]} {code})" for code in ordered)


def index_areas() -> Callable[[str], set[str]]:
    """Return a function that finds the codes of all areas, of any level, that a name may mean; it has its own index."""
    return partial(Places(area_table()).find, level=None)


def _column(areas: pd.DataFrame, name: str) -> dict[str, str]:
    return {str(code): str(value) for code, value in areas[name].items()}


def _strip_kind(key: str) -> list[tuple[str, str | None]]:
    """Return pairs (text, kind of area): the unchanged text with None, then the text without its word for a kind."""
    bare = [(pattern.sub("", key), level) for level, pattern in _KIND_WORDS.items()]
    return [(key, None), *(form for form in bare if form[0] != key)]


def _given_names(areas: pd.DataFrame) -> list[tuple[str, str]]:
    table = [(code, name) for column in ("name_en", "name_local") for code, name in areas[column].items()]
    others = name_table()
    known = others["code"].isin(areas.index)
    return [*table, *others.loc[known, ["code", "name"]].itertuples(index=False, name=None)]


def _other_cases(areas: pd.DataFrame) -> list[tuple[str, str]]:
    below_country = areas[areas["level"] != "country"]
    rows = zip(below_country.index, below_country["name_local"], below_country["country"], strict=True)
    return [(code, form) for code, name, country in rows for form in list_inflections(name, country)]


def _list_cases_of_towns(towns: Iterable[tuple[str, str]], countries: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of municipality and town name: Albanian names in all cases, Greek ones also in the accusative."""
    for code, name in towns:
        yield code, name
        if countries[code] == "AL":
            yield from ((code, form) for form in list_inflections(name, "AL"))
        elif name.endswith("ς"):
            yield code, name.removesuffix("ς")


@lru_cache(maxsize=4)
def _index_names(names: tuple[tuple[str, str], ...], cases: tuple[tuple[str, str], ...]) -> tuple[_Index, ...]:
    """Return indices of areas by names and inflections; by names; by sounds of names; by sounds of both."""
    everything, sound = (*names, *cases), partial(sound_key, sound=lru_cache(_MOST_SOUNDS)(sound_word))
    return _index(everything, plain_key), _index(names, plain_key), _index(names, sound), _index(everything, sound)


@lru_cache(maxsize=4)
def _index_towns(towns: tuple[tuple[str, str], ...], countries: tuple[tuple[str, str], ...]) -> _Index:
    """Index municipalities by the sound of the towns in them."""
    sound = partial(sound_key, sound=lru_cache(_MOST_SOUNDS)(sound_word))
    return _index(_list_cases_of_towns(towns, dict(countries)), sound)


def _index(names: Iterable[tuple[str, str]], key_of: Callable[[str], str]) -> _Index:
    index: dict[str, set[str]] = defaultdict(set)
    for code, name in names:
        index[key_of(name)].add(code)
    index.pop("", None)
    return dict(index)
