"""What a release covers, and which years it makes final, in words, for the terminal and the desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboard.site.text import _, format_period, format_plural
from data.tables.periods import Period


def describe_coverage(span: Period | None, years: Sequence[Period], later: int) -> Iterator[str]:
    """Yield sentences on the days that a release covers, the years that it makes final, and the encounters left out.

    span : the days that the release covers; None if no quarter has ended. later : number of encounters after them.
    """
    if span is None:
        yield _("No quarter of the programme has ended, so no record is counted. Check first and last in policy.toml.")
    else:
        yield _("It covers the days from {first} to {last}.", first=span.start, last=span.end)
    if years:
        yield _(
            "These years become final with it: {years}. Their numbers are drawn once and never change. What comes "
            "later for these years counts in no number of children.",
            years=list_years(years),
        )
    else:
        yield _("No year becomes final with it. Quarters of years that are not final are for partners alone.")
    if later:
        yield format_plural(
            "{count} encounter is of a later day and waits for a later release.",
            "{count} encounters are of later days and wait for a later release.",
            later,
        )


def describe_waiting(count: int) -> str:
    """Return a sentence on the encounters of final years that were imported or changed after the numbers were drawn."""
    return format_plural(
        "{count} encounter of a final year came or changed later. It counts in no number of children.",
        "{count} encounters of final years came or changed later. They count in no number of children.",
        count,
    )


def list_years(years: Sequence[Period]) -> str:
    """Return the names of these years, such as "Jun 2006 to May 2007", separated by commas."""
    return ", ".join(format_period(year.id) for year in years)
