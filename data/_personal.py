"""Tells a file that holds personal data of children, by its headings and by its content.

Headings are read in English, Albanian, Greek (also in Latin letters) and French. Content shows phone
numbers, coordinates, e-mail addresses, dates of birth and the identity numbers of both countries; **a name
cannot be told by content**, so a column of names under an innocent heading passes unless it is unknown,
and then it is reported and never stored. Messages name columns, never values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = [
    "content_shows",
    "degrees_of",
    "heading_shows",
    "list_headings",
    "median_year",
    "plain_heading",
    "words_of",
]

# A phrase is words that follow one another; * stands for any ending, or any beginning.
_HEADINGS = {
    "names": (
        "name, names, *name, name of child, nickname, alias, initials, patronym*, "
        "emri, emrin, emer, mbiemr*, mbiemer, emermbiemer, atesia, atesi, amesia, pseudonim, nofka, "
        "ονομα*, επωνυμ*, πατρωνυμ*, μητρωνυμ*, παρατσουκλι, onoma, onomateponymo, eponymo, patronymo, "
        "nom, noms, prenom*, surnom*, patronyme"
    ),
    "birth dates": (
        "birth*, dob, d o b, yob, *birthdate, born, "
        "datelindj*, ditelindj*, date lindj*, lindjes, lindjeve, lindur, vitlindj*, "
        "γεννησ*, γεννηθ*, γενεθλ*, genniseos, gennisis, naissance, nee le, ne le, ne e le, date naiss"
    ),
    "phone numbers": (
        "phone*, *phone, tel, telephon*, mobile, cell, cellphone, gsm, whatsapp, viber, "
        "telefon*, celular*, nr tel, nr cel, kontakt telefonik, "
        "τηλ, τηλεφων*, κινητο, κινητου, κιν, tilefono, kinito, portable"
    ),
    "coordinates": (
        "lat, latitude, lon, lng, longitude, gps*, geopoint*, geolocation, geotrace, geoshape, "
        "coordinate*, coord, coords, easting, northing, utm, wgs84, latlon, latlng, "
        "gjeresi*, gjatesi*, koordinat*, συντεταγμεν*, γεωγραφικο*, στιγμα, coordonne*"
    ),
    "addresses": (
        "address*, email*, e mail, mail, *email, adres*, banes*, διευθυνσ*, κατοικι*, dieythynsi, "
        "diefthynsi, ηλεκτρονικο ταχυδρομειο, courriel"
    ),
    "identity numbers": (
        "passport*, id card, identity card, national id, social security, nid, ssn, "
        "pasaport*, numri personal, nr personal, leternjoftim*, karta id, "
        "διαβατηρι*, ταυτοτητα*, αμκα, αφμ, amka, afm, passeport*, carte d identite, securite sociale"
    ),
}
# A name of one of these is no name of a child: "municipality name", "Emri i bashkisë".
_NO_PERSON = (
    "operator*, organi*, institu*, service*, sherbim*, partner*, ngo, ojf, μκο, ong, form, file, project, "
    "municipal*, bashki*, qark*, county, region*, rajon*, commune, area, city, country, place, shtet*, "
    "vend*, school*, shkoll*, indicator, measure, δημο*, περιφερει*, φορεα*, υπηρεσι*, σχολει*, χωρα*, πολη*"
)
_PERSON = (
    "child*, femij*, mother*, father*, parent*, guardian*, victim*, nena, nenes, babai, babait, prind*, "
    "παιδι*, μητερ*, πατερ*, γονε*, enfant*, mere, pere, first, last, family, full, given, sur*"
)
# The place of birth is no date, and "mobile unit" no phone.
_INNOCENT = (
    "place of birth, birthplace, birth place, vendlindj*, τοποσ γεννησ*, lieu de naissance, mobile unit*, "
    "mobile team*, cell key"
)


def words_of(text: str) -> tuple[str, ...]:
    """Split a heading into plain words: no case, no accents, camelCase and punctuation taken apart."""
    apart = re.sub(r"(?<=[a-zα-ω])(?=[A-ZΑ-Ω])", " ", text)
    plain = unicodedata.normalize("NFKD", apart).casefold()
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(re.findall(r"[^\W_]+", bare))


def _phrases(text: str) -> tuple[re.Pattern[str], ...]:
    patterns = []
    for phrase in text.split(","):
        words = [re.escape(word).replace(r"\*", r"\w*") for word in phrase.split()]
        patterns.append(re.compile(rf"(?<!\w){' '.join(words)}(?!\w)"))
    return tuple(patterns)


_SORTS = {sort: _phrases(phrases) for sort, phrases in _HEADINGS.items()}
_NO_PERSON_PHRASES = _phrases(_NO_PERSON)
_PERSON_PHRASES = _phrases(_PERSON)
_INNOCENT_PHRASES = _phrases(_INNOCENT)


def _says(words: str, phrases: Iterable[re.Pattern[str]]) -> bool:
    return any(phrase.search(words) for phrase in phrases)


def heading_shows(heading: str, refuses: frozenset[str]) -> str | None:
    """Name the sort of personal data that a heading tells of, or None."""
    # Also in small letters, since "WhatsApp" must not only be read as two words.
    words = " | ".join(" ".join(words_of(text)) for text in (heading, heading.lower()))
    for phrase in _INNOCENT_PHRASES:
        words = phrase.sub(" ", words)
    for sort, phrases in _SORTS.items():
        if sort not in refuses or not _says(words, phrases):
            continue
        organisation = _says(words, _NO_PERSON_PHRASES) and not _says(words, _PERSON_PHRASES)
        if not (sort == "names" and organisation):
            return sort
    return None


_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[A-Za-z]{2,}")
# Each pattern begins with a literal where it can: a million record numbers are searched in a moment.
_DECIMALS = re.compile(r"\.\d\d\d")
_DEGREES = (
    re.compile(r"(?<![\d.])(?:3[3-9]|4[0-4])\.\d{3,}[\s,;]+(?:1[89]|2\d|3[01])\.\d{3,}"),
    re.compile(r"(?<![\d.])(?:1[89]|2\d|3[01])\.\d{3,}[\s,;]+(?:3[3-9]|4[0-4])\.\d{3,}"),
)
_OTHER_PLACES = (
    re.compile(r"°\s?\d{1,2}\s?['’′]"),
    re.compile(r"POINT\s?Z?\s?\("),
    re.compile(r"google\.[a-z.]{2,6}/maps|goo\.gl/maps|maps\.app\.goo\.gl|openstreetmap\.org/"),
    re.compile(r"8[GF][23456789CFGHJMPQRVWX]{6}\+[23456789CFGHJMPQRVWX]{2,3}(?!\w)"),
)
_WRITTEN_PHONES = (
    re.compile(r"\+(?<![\w.]\+)\d{1,3}(?:[ ./()-]{0,2}\d){7,12}(?!\w)"),
    re.compile(r"00(?<![\w.]00)(?:355|30|383|389|382|39|381)(?=\d*[ ./()-])(?:[ ./()-]{0,2}\d){7,11}(?!\w)"),
    re.compile(r"06(?<![\w.+-]06)[6-9]\d?[ ./-]\d{2,3}[ ./-]?\d{2,4}(?:[ ./-]?\d{2,3})?(?![\w-])"),
    re.compile(r"69(?<![\w.+-]69)\d{1,2}[ ./]\d{3,6}(?:[ ./]\d{3,4})?(?!\w)"),
)
_BARE_PHONE = re.compile(r"(?:(?:00|\+)?(?:355|30))?(?:0?6[6-9]\d{7}|69\d{8})")
_LANDLINE = re.compile(r"(?:(?:00|\+)?30)?2[1-8]\d{8}|(?:(?:00|\+)?355|0)[2-8]\d{7}")
_AMKA = re.compile(r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{7}")
_NID = re.compile(r"[A-Z]\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[A-Z]")
_DAY = re.compile(r"(\d{4})-\d{1,2}-\d{1,2}(?:[T ].*)?|\d{1,2}[./]\d{1,2}[./](\d{4})")
_LATITUDE = re.compile(r"(?:3[3-9]|4[0-3])[.,]\d{4,}")
_LONGITUDE = re.compile(r"(?:1[89]|2\d)[.,]\d{4,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SEPARATORS = re.compile(r"[ ./()-]")
_SAMPLE = 5_000
_MAJORITY = 0.5


def content_shows(
    values: list[str],
    *,
    hashed: bool = False,
    free: bool = True,
    coded: bool = False,
    year: float | None = None,
) -> str | None:
    """Name the sort of personal data that a column's distinct values look like, or None.

    One value is enough for what cannot be anything else (an e-mail address, a written phone number, a
    pair of coordinates); bare digits count only where at least half of the values look alike.

    `coded`: numbers, dates and categories, where only the former is looked for. `hashed`: an identifier
    that is never stored, so numbers of documents pass. `free`: free text or an unknown column. `year`:
    the median year of the records; dates two to 25 years before it are taken for dates of birth.
    """
    text = "\n".join(values)
    if "@" in text and _EMAIL.search(text):
        return "addresses"
    if _any(text, _OTHER_PLACES) or (_DECIMALS.search(text) and _any(text, _DEGREES)):
        return "coordinates"
    if _any(text, _WRITTEN_PHONES):
        return "phone numbers"
    if coded:
        return None
    sample = _sample(values)
    digits = [_SEPARATORS.sub("", value) for value in sample] if free else sample
    if _most(digits, _BARE_PHONE) or (free and _most(digits, _LANDLINE)):
        return "phone numbers"
    if not hashed and _identity_numbers(sample):
        return "identity numbers"
    return "birth dates" if _birth_dates(sample, year) else None


def degrees_of(values: list[str]) -> str | None:
    """Say whether a column of single numbers looks like latitudes or longitudes of both countries."""
    sample = _sample(values)
    if _most(sample, _LATITUDE):
        return "latitude"
    return "longitude" if _most(sample, _LONGITUDE) else None


def median_year(values: list[str]) -> float | None:
    """Give the median year of the distinct days of a column, None where it has none."""
    years = sorted(int(m[0]) for m in map(_YEAR.search, _sample(values)) if m)
    return float(years[len(years) // 2]) if years else None


def plain_heading(heading: str, position: int) -> str:
    """Give a heading for a message, or its position where it may be content, as in a file without any."""
    content = len(heading) > 60 or re.search(r"\d{3}|@|[<>]", heading) or not heading.isprintable()
    return f"column {position + 1}" if content or not heading else heading


def list_headings(headings: list[str], positions: Iterable[int]) -> str:
    """List headings for a message, each in quotation marks."""
    return ", ".join(f"'{plain_heading(headings[position], position)}'" for position in positions)


def _sample(values: list[str]) -> list[str]:
    return [v.strip() for v in values[:: max(1, len(values) // _SAMPLE)] if v.strip()]


def _most(sample: list[str], pattern: re.Pattern[str]) -> bool:
    hits = sum(pattern.fullmatch(value) is not None for value in sample)
    return hits > 0 and hits >= _MAJORITY * len(sample)


def _any(text: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _identity_numbers(sample: list[str]) -> bool:
    # The check digit tells an AMKA from a record number that happens to begin with a day.
    failing = [value for value in sample if _AMKA.fullmatch(value) and not _luhn(value)]
    return _most(sample, _NID) or (_most(sample, _AMKA) and len(failing) < _MAJORITY * len(sample))


def _luhn(digits: str) -> bool:
    """Test the check digit that ends a Greek AMKA."""
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(digits), start=1)]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _birth_dates(sample: list[str], year: float | None) -> bool:
    matches = [match for match in map(_DAY.fullmatch, sample) if match]
    if year is None or not matches or len(matches) < _MAJORITY * len(sample):
        return False
    years = sorted(int(match[1] or match[2]) for match in matches)
    return 2 <= year - years[len(years) // 2] <= 25
