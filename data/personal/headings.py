"""Recognition of personal data of children in headings of columns; see content.py for the values.

Headings are read in English, Albanian, Greek (also in Latin letters) and French. Messages name columns, never values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from data.message import Message, join_messages
from data.personal.content import find_personal_number
from data.personal.given_names import is_given_name
from data.workspace.folding import strip_footnotes

# A phrase is words that follow one another; * stands for any ending, or any beginning.
_HEADINGS = {
    "names": (
        "name, names, *name, name of child, nickname, alias, initials, patronym*, "
        "emri, emrin, emer, mbiemr*, mbiemer, emermbiemer, atesia, atesi, amesia, pseudonim*, inicial*, nofka, "
        "ονομα*, επωνυμ*, πατρωνυμ*, μητρωνυμ*, παρατσουκλι, ον μο, ονμο, onoma, onomateponymo, eponymo, patronymo, "
        "nom, noms, prenom*, surnom*, patronyme"
    ),
    "dates of birth": (
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
        "diefthynsi, dieuthynsi, dieuthinsi, posta elektronike, ηλεκτρονικο ταχυδρομειο, courriel"
    ),
    "identity numbers": (
        "passport*, id card, identity card, national id, social security, nid, ssn, "
        "pasaport*, numri personal, nr personal, leternjoftim*, karta id, "
        "διαβατηρι*, ταυτοτητα*, αμκα, αφμ, αδτ, amka, afm, passeport*, carte d identite, securite sociale"
    ),
}
# A name of one of these is no name of a child: "municipality name", "Emri i bashkisë".
_NO_PERSON = (
    "operator*, organi*, institu*, center*, centre*, qendr*, service*, sherbim*, partner*, ngo, ojf, "
    "μκο, ong, form, file, project, municipal*, bashki*, komuna, komunes, rrethi, rrethit, "
    "qark*, county, region*, rajon*, commune, area, city, country, place, shtet*, "
    "vend*, village*, fshat*, lagj*, neighbo*, settlement*, school*, shkoll*, indicator, measure, admin, δημο*, "
    "περιφερει*, νομοσ, νομου, φορεα*, κεντρ*, υπηρεσι*, σχολει*, χωρα*, πολη*, χωρι*, οικισμ*, συνοικι*"
)
_STAFF = (
    "*worker, *workers, staff, stafi, interviewer, enumerator, officer, team, filled by, entered by, "
    "recorded by, submitted by, punonjes*, plotesuar nga, λειτουργ*, υπαλληλ*, συμπληρωθηκε απο, rempli par"
)
_PERSON = (
    "child*, femij*, mother*, father*, parent*, guardian*, victim*, nena, nenes, babai, babait, prind*, "
    "παιδι*, μητερ*, πατερ*, γονε*, enfant*, mere, pere, first, last, family, full, given, sur*"
)
# The place of birth is no date, and "mobile unit" no phone.
_INNOCENT = (
    "place of birth, birthplace, birth place, vendlindj*, vendi i lindjes, bashkia e lindjes, "
    "komuna e lindjes, qyteti i lindjes, fshati i lindjes, shteti i lindjes, τοποσ γεννησ*, lieu de naissance, "
    "mobile unit*, mobile team*, cell key"
)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a heading in lower case without accents; camelCase and punctuation separate words."""
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
_STAFF_PHRASES = _phrases(_STAFF)
_PERSON_PHRASES = _phrases(_PERSON)
_INNOCENT_PHRASES = _phrases(_INNOCENT)


def _says(words: str, phrases: Iterable[re.Pattern[str]]) -> bool:
    return any(phrase.search(words) for phrase in phrases)


def find_personal_heading(heading: str, refuses: frozenset[str]) -> str | None:
    """Return the kind of personal data that a heading names, of the kinds in `refuses`; None if it names none."""
    heading = strip_footnotes(heading)
    # Also in lower case, since "WhatsApp" must not only be read as two words.
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


def is_about_others(heading: str) -> bool:
    """Return whether a heading is about organisations, places or staff, whose names look like a child's."""
    return _says(" ".join(words_of(heading)), (*_NO_PERSON_PHRASES, *_STAFF_PHRASES))


# Digits alone, and codes such as K-12 and 0412/A; "2. Mosha" is a heading.
_VALUE = re.compile(r"[\W_]*\d[\W\d_]*|[^\W\d_]{1,4}[-/]\d+|(?=\D*\d{3})\S+")


def is_value(cell: str) -> bool:
    """Return whether a cell cannot be a heading: a number, a day, a code, or personal data."""
    if _VALUE.fullmatch(cell) or find_personal_number(cell):
        return True
    return any(map(is_given_name, re.findall(r"[^\W\d_]+", cell)))


def plain_heading(heading: str, position: int) -> str:
    """Return a heading for a message; if it is empty or may be content, "column" and its number (position + 1)."""
    content = len(heading) > 60 or re.search(r"\d{3}|@|[<>]", heading) or not heading.isprintable()
    content = content or is_value(heading)
    return Message("column {number}", number=position + 1) if content or not heading else heading


def list_headings(headings: list[str], positions: Iterable[int]) -> Message:
    """List the headings at the given positions (from 0) for a message, each in quotation marks."""
    return join_messages((quote_heading(headings[position], position) for position in positions), ", ")


def quote_heading(heading: str, position: int) -> Message:
    """Return a heading for a message, in quotation marks."""
    return Message("'{heading}'", heading=plain_heading(heading, position))
