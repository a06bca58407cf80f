"""Common given names of Albania and Greece, as keys of `data.workspace.folding.make_key`. No such list is complete.

Names that are also words or places of the records are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from data.workspace.folding import make_key

_ALBANIAN = """
adelina afrim agim agron albert aleksander alketa altin anila anisa arba arben arbër ardian ardit armand arta artan
artur astrit atdhe avni bajram bardhyl bashkim behar bekim beni besa besian besim besmir besnik blerim blerina blerta
bledi bujar dashamir dashnor dorina drita dritan edison edlira edmond eduart eglantina elda elida elira elona elsa
elton elvira elvis emiljano endri enkela entela enver ergys erion erisa ermal ermira ervin esmeralda fatbardha fation
fatime fatjon fatmir fatmira fatos ferdinand fidan flamur flora florian florina flutura gazmend gentian gentiana genti
gerta gezim gjergj gjon gramoz hajdar hajrije hamza hasan hatixhe hyseni hysni ibrahim ilir ilirjan ilirjana irena
isuf jeton jetmir jonida juljan juliana jusuf kastriot klajdi klea klejdi klodian klodiana kledi kreshnik kristaq
kujtim ledia leonard leonora liridon lindita liljana luan lulzim luljeta lumturi majlinda mehmet melisa merita mimoza
mirela mirjeta mustafa naim nazmi neritan nexhmije nikoll ornela osman pajtim panajot pellumb petrit qemal rajmonda
ramadan ramazan redjan refik remzi resul rexhep roland roza rukije sabri safet sajmir samir saimir selim selman senada
shaban shefqet shkelqim shpetim shpresa silvana sokol sonila sotir suela sulejman taulant teuta thanas valbona
valentina valmira vasil vjollca xhafer xhemal xhevahir xhevdet ylli ymer zamira zana zef zenel
"""
_GREEK = """
αθανάσιος αικατερίνη αλέξανδρος αναστασία αναστάσιος ανδρέας άννα αντώνης αντώνιος απόστολος αργύρης βασίλης βασίλειος
βασιλική γεωργία γεώργιος γιάννης γιώργος γρηγόρης δέσποινα δημήτρης δημήτριος ειρήνη ελένη ελευθερία ευαγγελία
ευάγγελος ηλίας θανάσης θεόδωρος ιωάννα ιωάννης κατερίνα κώστας κωνσταντίνα κωνσταντίνος μανώλης μαρία μάριος μιχάλης
μιχαήλ νίκος νικόλαος όλγα παναγιώτα παναγιώτης παρασκευή πέτρος σοφία σπύρος σταύρος στέλιος σωτήρης φώτης χρήστος
χριστίνα athanasios aikaterini alexandros anastasia andreas anna antonis apostolos vasilis vasiliki georgios giannis
yannis giorgos yorgos grigoris despoina dimitris dimitrios eirini irini eleni evangelia evangelos ilias thanasis
theodoros ioanna ioannis katerina kostas konstantina konstantinos manolis maria marios michalis michail nikos nikolaos
olga panagiota panagiotis paraskevi petros spyros stavros stelios sotiris fotis christos christina
"""
GIVEN_NAMES = frozenset(make_key(name) for name in (*_ALBANIAN.split(), *_GREEK.split()))
_ENDINGS = ("it", "ut", "in", "un", "es", "en", "i", "u", "n", "s", "ς", "ν", "υ", "ου")
_LEAST = 3  # letters before an ending


def is_given_name(word: str) -> bool:
    """Return whether a word is a common given name, also with an ending of Albanian or Greek."""
    key = make_key(word)
    if key in GIVEN_NAMES:
        return True
    stems = [key[: -len(ending)] for ending in _ENDINGS if key.endswith(ending) and len(key) - len(ending) >= _LEAST]
    return any(form in GIVEN_NAMES for stem in stems for form in (stem, f"{stem}a", f"{stem}e"))


def find_given_names(values: Sequence[str]) -> bool:
    """Return whether at least half of the values that are not empty contain a given name; False if all are empty."""
    filled = [value for value in values if value.strip()]
    named = sum(any(map(is_given_name, re.findall(r"[^\W\d_]+", value))) for value in filled)
    return named > 0 and 2 * named >= len(filled)
