"""Whether the days of a column are likely, judged by all of them together.

A spreadsheet program, or an order that held for an earlier file, may have exchanged day and month. Then the days are
spread over many months and lie in few if day and month change places; or no date has a day above 12, although each day
that stayed a text has one; or days lie in the future. The officer is asked which is right. The question is named after
the months of the days in doubt, so that the answer holds for these months and not for the next file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from data.message import Message

AS_WRITTEN, EXCHANGED = "as written", "exchanged"
DOUBTFUL = Message("day and month may be exchanged")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})")
_FEWEST = 3  # distinct days in doubt; of fewer, no date may have a day above 12
_SPREAD = 5  # distinct days; three visits on the 7th of three months are no rarity
_MONTHS = 3
_ENOUGH = 8  # distinct days; by chance, none of them has a day above 12 once in 2,000 columns
_DIFFERENT = 4  # of them; a visit on the first of each month is likely
_LATER = 0.2  # of all dates, at most, have a day above 12 where they were exchanged; by chance 0.6 have


@dataclass(frozen=True)
class Doubt:
    """Days that may be exchanged: their months as a name (empty without a doubt), and the days by index of the text.

    `is_weak` : they are so few that only a note says it.
    """

    name: str = ""
    days: dict[int, dt.date] = field(default_factory=dict)
    is_weak: bool = False

    def exchange(self, number: int) -> str:
        """Return a day in ISO form with day and month exchanged."""
        return _exchange(self.days[number]).isoformat()


def judge_days(texts: Sequence[str], read: Callable[[str], dt.date | None], today: dt.date | None) -> Doubt:
    """Return the doubt about the distinct texts of a column; `read` returns the day of a text.

    `today` : None if the days may lie in the future.
    """
    days = {number: day for number, text in enumerate(texts) for day in [read(text)] if day}
    dates = {number for number in days if _ISO.fullmatch(texts[number])}
    slashed = [match for match in map(_SLASHED.fullmatch, texts) if match]
    pool = dates or {number for number in days if _SLASHED.fullmatch(texts[number])}
    doubted = {n: days[n] for n in pool if days[n].day <= 12 and days[n].day != days[n].month}
    turned = [_exchange(day) if number in doubted else day for number, day in days.items()]
    written, other = (len({(day.year, day.month) for day in reading}) for reading in (days.values(), turned))
    late = sum(days[number].day > 12 for number in dates)
    is_monthly = {day.day for day in days.values()} == {1}
    is_spread = written >= _MONTHS and 2 * other < written and not is_monthly
    is_thin = len(doubted) > 1 and other < written and not late and not is_monthly
    dates_are_cut = (
        bool(dates)
        and late <= max(_LATER * len(dates), 1 if slashed and len(doubted) >= _FEWEST else 0)
        and (
            all(max(int(match[1]), int(match[2])) > 12 for match in slashed)
            if slashed
            else other <= written
            and not late
            and len(days) == len(dates) >= _ENOUGH
            and len({days[n].day for n in dates}) >= _DIFFERENT
        )
    )
    # A single day in the future is rejected as such; beside it, other days may be wrong in silence.
    is_ahead = (
        len(doubted) > 1
        and today is not None
        and max(days.values(), default=today) > today >= max(turned, default=today)
    )
    if not doubted or not (dates_are_cut or is_ahead or (is_spread and len(doubted) >= _SPREAD)):
        return Doubt(is_weak=is_thin or (is_spread and bool(doubted)))
    return Doubt(f"{min(doubted.values()):%Y-%m} to {max(doubted.values()):%Y-%m}", doubted)


def _exchange(day: dt.date) -> dt.date:
    return day.replace(month=day.day, day=day.month)
