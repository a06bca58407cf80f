"""The policy of a release: threshold, noise, caps and everything else that a data officer decides."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from data.errors import InputError
from data.message import Message, join_messages
from data.tables.spec import Level, Tier

LOWEST_K = 11
FEWEST = 3
_MOST_KEY_BITS = 32
_LONGEST_LAG = 24  # months
_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:A-Za-z0-9]+")


@dataclass(frozen=True)
class Policy:
    """The rules for a release. The defaults are the safe ones; k may only be raised.

    Raises InputError that lists all values that are not allowed.

    k: public numbers below k are not shown. k_municipal: partners see no number of a municipality below it; 1 shows all
    from 1 on. cap: the largest number of encounters of one child counted in a cell.
    variance, largest, key_range: the noise on a count of children (data/disclosure/cell_key.py); record keys
    and cell keys are uniform on 0 .. key_range - 1 (a power of two). variance_near_k: the variance for counts
    of 7 to 15, near the threshold k.
    operators: the minimum number of operators for showing a protection, return or reintegration service.
    first, last: the first and last day of the programme. Releases cover its quarters that have ended; records of
    other days are not counted. lag: months after the end of a year until its numbers are final.
    frozen: whether published numbers are repeated in later releases; only tests of attacks switch it off.
    no_programme: the codes of areas where there is no programme, so that zero is structural.
    partner_licence, public_licence: the text of the licence in the files of each tier.
    target_at_risk, target_victims: how many children at risk, and current or former victims, the programme set out to
    reach in both countries together; 0 for no target. target_source: where these targets stand.
    publisher, doi: who publishes the releases, and the DOI of the public tier; empty if there is none.
    """

    k: int = LOWEST_K
    # A single child of a municipality shows 1 or more in 48 % of cells, and 3 or more in 14 %.
    k_municipal: int = 3
    variance: float = 2.0
    # With less variance, the number of a county and year would give an attacker an advantage above 0.10 where
    # about k children are expected (data/disclosure/attacks/membership/__init__.py).
    variance_near_k: float = 6.0
    largest: int = 5
    cap: int = 3
    key_range: int = 2**24
    operators: int = 3
    first: date = date(2006, 6, 1)
    last: date = date(2009, 5, 31)
    lag: int = 3
    frozen: bool = True
    no_programme: frozenset[str] = frozenset()
    partner_licence: str = "under agreement"
    public_licence: str = "CC-BY-4.0"
    target_at_risk: int = 1000
    target_victims: int = 400
    target_source: str = "TACT, third phase (June 2006 to May 2009): primary target"
    publisher: str = ""
    doi: str = ""

    def __post_init__(self) -> None:
        bits = self.key_range.bit_length() - 1
        limits = (
            (self.k >= LOWEST_K, "k", Message("it must be at least {least}", least=LOWEST_K)),
            (1 <= self.k_municipal <= self.k, "k_municipal", Message("it is 1 to k = {k}", k=self.k)),
            (self.operators >= FEWEST, "operators", Message("it must be at least {least}", least=FEWEST)),
            (self.cap >= 1, "cap", Message("it must be at least {least}", least=1)),
            (0 < self.variance < self.largest, "variance", Message("it lies between 0 and largest")),
            (
                self.variance <= self.variance_near_k < 2 * self.largest,
                "variance_near_k",
                Message("it lies between variance and twice largest"),
            ),
            (self.largest < self.k, "largest", Message("it must be less than k = {k}", k=self.k)),
            (2**bits == self.key_range, "key_range", Message("it must be a power of two")),
            (10 <= bits <= _MOST_KEY_BITS, "key_range", Message("from 2**10 to 2**32")),
            (self.first < self.last, "first", Message("the first day comes first")),
            (1 <= self.lag <= _LONGEST_LAG, "lag", Message("it is 1 to {most} months", most=_LONGEST_LAG)),
            (self.target_at_risk >= 0, "target_at_risk", Message("it must be at least {least}", least=0)),
            (self.target_victims >= 0, "target_victims", Message("it must be at least {least}", least=0)),
            (
                not self.doi or bool(_DOI.fullmatch(self.doi)),
                "doi",
                Message("write 10., digits, a slash and a name, without https:, such as 10.5281/zenodo.1234567"),
            ),
        )
        wrong = []
        for holds, name, rule in limits:
            if not holds:
                others = f", last = {self.last}" if name == "first" else ""
                wrong.append(join_messages([f"{name} = {getattr(self, name)}{others}", rule], "; "))
        if wrong:
            raise InputError(Message("The policy cannot be used: {wrong}.", wrong=join_messages(wrong, "; ")))

    def scale(self, measure: str) -> int:
        """Return the largest number that one child can add to a cell of a measure."""
        return self.cap if measure == "encounters" else 1

    def threshold(self, tier: Tier, level: Level) -> int:
        """Return the smallest number of children, or of encounters, that a tier shows at a level."""
        return self.k if tier == "public" else self.k_municipal if level == "municipality" else 1

    def parameters(self) -> dict[str, Any]:
        """Return the policy as plain values for a manifest."""
        values = asdict(self)
        for name in ("first", "last"):
            values[name] = values[name].isoformat()
        values["no_programme"] = sorted(self.no_programme)
        return values


DEFAULT_POLICY = Policy()
