"""The result of a comparison of policies for people: a table, a picture, and the limits that each policy fails."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from data.disclosure.attacks.membership.attacker import LIMITS
from data.reference import area_table
from data.restricted.comparison import ALL_NUMBERS, BOTH, ONE_NUMBER, PolicyResult, Readers

if TYPE_CHECKING:
    import altair as alt

_NARROWEST, _FILE_WIDTH = 80, 110  # characters of the table: at least on a terminal; in a file
_INK, _MUTED, _FAINT = "#1D2433", "#5B6575", "#A9B2BF"
_ACCENT, _WARNING, _SOFT = "#0F6B66", "#9A3412", "#FDF0E6"
_LOSSES = ("Children the public does not see, of 100", "Distance of shown numbers from the true number, % (median)")
_GAINS = ("Membership advantage, one number", "Membership advantage, all numbers")
_COLUMNS = ("name", "loss", "least", "most", "gain", "low", "high", "before", "colour", "size")
_HOW_TO_READ = (
    "Each letter is a policy. Further left, readers lose less; further down, attackers gain less.",
    "Lines through points: across, how far the worlds differ; upwards, the interval of 95 %.",
    "Small ring: before the release withheld breakdowns.",
)
# The offsets of the letters from their points, in pixels, one policy after the other: many points are close together.
_BESIDE = ((11, -9), (-11, -9), (11, 11), (-11, 11), (0, -16))
_Format = Callable[[PolicyResult], str]


@dataclass(frozen=True)
class Comparison:
    """Policies that were measured on the same invented worlds.

    current : the position in `results` of the policy in use. worlds, seed : the number of worlds, whose seeds follow
    each other from `seed` on. children : their approximate number in each world. `place` in the methods is the position
    of a policy.
    """

    results: Sequence[PolicyResult]
    current: int
    worlds: int
    children: int
    seed: int

    @property
    def names(self) -> list[str]:
        """A letter for each policy, in the table and in the picture."""
        return list(ascii_uppercase[: len(self.results)])

    @property
    def basis(self) -> str:
        """The invented worlds of the comparison, in words."""
        if self.worlds == 1:
            return f"One invented data set of about {self.children:,} children (seed {self.seed})"
        last = self.seed + self.worlds - 1
        return f"{self.worlds} invented data sets of about {self.children:,} children (seeds {self.seed} to {last})"

    def title(self, place: int) -> str:
        """Return the settings of a policy in words."""
        policy = self.results[place].policy
        now = " (current policy)" if place == self.current else ""
        noise = f"variance {policy.variance:g} (near k {policy.variance_near_k:g})"
        return f"k {policy.k}, {noise}, largest {policy.largest}{now}"

    def verdict(self, place: int) -> str:
        """Return in words which limits a policy fails, each with the measured value; else that it keeps both."""
        result, attackers = self.results[place], self.results[place].attackers
        limits = {
            ONE_NUMBER: f"from one public number {attackers.one_number:.3f}, limit {LIMITS[0]:.2f}",
            ALL_NUMBERS: f"from all public numbers {attackers.all_numbers:.3f}, limit {LIMITS[1]:.2f}",
        }
        words = [f"fails, membership advantage {limits[name]}" for name in limits if name in result.fails]
        return "; ".join(words) or "keeps both limits"

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values for JSON."""
        rows = [{**result.as_dict(), "current": n == self.current} for n, result in enumerate(self.results)]
        return {
            "invented": True,
            "worlds": self.worlds,
            "children": self.children,
            "seed": self.seed,
            "limits": {ONE_NUMBER: LIMITS[0], ALL_NUMBERS: LIMITS[1]},
            "candidates": rows,
        }

    def to_csv(self) -> str:
        """Return CSV with one row for each policy; the names of nested values are joined by underscores."""
        rows = [dict(_flatten(row)) for row in self.as_dict()["candidates"]]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def format_lines(self) -> list[str]:
        """List the lines for the terminal: the table, and what it means."""
        return [
            f"{self.basis}. No record was read. Everything below is invented.",
            "",
            *self._format_table(),
            "",
            *(f"{n}  {self.title(p)}: {self.verdict(p)}." for p, n in enumerate(self.names)),
            *(["A release under a policy that fails may be refused."] if any(m.fails for m in self.results) else []),
            "",
            *(self._compare_with_current(p) for p in range(len(self.results)) if p != self.current),
            "",
            "Membership advantage: how much better than a coin an attacker guesses whether one certain",
            "child was counted. 0 is no better than a coin, 1 is certain. One number: the worst case,",
            "exact. All numbers: the child that is easiest to find in the worst data set, estimated, with",
            "its 95 % interval. Other rows are averages of all data sets; partners' numbers are those of",
            "municipalities and quarters with at least one child. Withheld numbers, and the breakdowns that",
            "are left out for counties, are removed by the release itself.",
        ]

    def draw_chart(self) -> alt.ConcatChart:
        """Draw each loss of readers (across) against each gain of attackers (upwards), with the limits."""
        import altair as alt

        panels = [
            alt.hconcat(*(self._draw_panel(loss, gain) for loss in range(len(_LOSSES)))) for gain in range(len(_GAINS))
        ]
        about = [f"{self.basis}. No record was read; all numbers are invented.", *_HOW_TO_READ]
        about += [f"{name}  {self.title(place)}: {self.verdict(place)}." for place, name in enumerate(self.names)]
        title = alt.TitleParams("What readers lose and what attackers gain", subtitle=about, anchor="start")
        chart: alt.ConcatChart = (
            alt.concat(*panels, columns=1, title=title)
            .configure(font="sans-serif", background="#FBFAF7", padding=24)
            .configure_title(fontSize=21, subtitleFontSize=13, subtitleColor=_MUTED, offset=18, color=_INK)
            .configure_axis(labelFontSize=12, titleFontSize=13, titleFontWeight="normal", gridColor="#DFE3E8")
            .configure_view(fill="#FFFFFF", stroke=None)
        )
        return chart

    def render_pictures(self) -> dict[str, bytes]:
        """Return the chart as files by their ending: svg and png."""
        import vl_convert

        spec = self.draw_chart().to_dict()
        return {"svg": vl_convert.vegalite_to_svg(spec).encode(), "png": vl_convert.vegalite_to_png(spec, scale=2)}

    def _draw_panel(self, loss: int, gain: int) -> alt.LayerChart | alt.FacetChart:
        """Draw one loss against one gain; both are positions, in _LOSSES and _GAINS."""
        import altair as alt
        import pandas as pd

        limit = LIMITS[gain]
        rows = [row for place in range(len(self.results)) if (row := self._describe_point(place, loss, gain))]
        heights = [row[name] or 0.0 for row in rows for name in ("gain", "high", "before")]
        top = 1.12 * max([limit, *heights])
        data = pd.DataFrame(rows, columns=list(_COLUMNS))
        x = alt.X("loss:Q", title=_LOSSES[loss], scale=alt.Scale(zero=False, nice=True, padding=24))
        y = alt.Y("gain:Q", title=_GAINS[gain] if loss == 0 else None, scale=alt.Scale(domain=[0.0, top], nice=False))
        colour = alt.Color("colour:N", scale=None)
        above = alt.Chart(pd.DataFrame({"limit": [limit], "top": [top], "words": [f"limit of {limit:.2f}"]}))
        base = alt.Chart(data).encode(x=x, y=y)
        letters = [
            base.transform_filter(alt.datum.name == row["name"])
            .mark_text(fontSize=15, fontWeight="bold", dx=_BESIDE[n % 5][0], dy=_BESIDE[n % 5][1])
            .encode(text="name:N", color=colour)
            for n, row in enumerate(rows)
        ]
        return alt.layer(
            above.mark_rect(color=_SOFT).encode(y="limit:Q", y2="top:Q"),
            above.mark_rule(color=_WARNING, strokeDash=[6, 4]).encode(y="limit:Q"),
            above.mark_text(align="right", color=_WARNING, dx=-6, dy=-8).encode(
                y="limit:Q", x=alt.value("width"), text="words:N"
            ),
            base.mark_rule(color=_FAINT).encode(x="least:Q", x2="most:Q"),
            base.mark_rule(color=_FAINT).encode(y="low:Q", y2="high:Q"),
            base.mark_point(color=_MUTED, size=40).encode(y="before:Q"),
            base.mark_point(filled=True, opacity=1).encode(color=colour, size=alt.Size("size:Q", scale=None)),
            *letters,
        ).properties(width=360, height=210)

    def _describe_point(self, place: int, loss: int, gain: int) -> dict[str, Any] | None:
        """Return the point of a policy in a panel; None if its loss is not known."""
        result = self.results[place]
        attackers, readers = result.attackers, result.readers[BOTH]
        value = (readers.hidden_children, readers.relative_error)[loss]
        if value is None:
            return None
        colour = _WARNING if result.fails else _ACCENT if place == self.current else _INK
        row = {"name": self.names[place], "loss": 100 * value, "colour": colour}
        row |= {"size": 220 if place == self.current else 110}
        least, most = result.hidden if loss == 0 else (None, None)
        row |= {"least": None if least is None else 100 * least, "most": None if most is None else 100 * most}
        if gain == 0:
            return {**row, "gain": attackers.one_number, "low": None, "high": None, "before": None}
        ends = {"low": attackers.all_numbers_low, "high": attackers.all_numbers_high}
        before = attackers.planned if attackers.planned > attackers.all_numbers else None
        return {**row, "gain": attackers.all_numbers, **ends, "before": before}

    def _compare_with_current(self, place: int) -> str:
        """Return a sentence on how a policy differs for readers from the current policy."""
        other, now = self.results[place].readers[BOTH], self.results[self.current].readers[BOTH]
        more = round(100 * (now.hidden_children - other.hidden_children), 1)
        seen = f"{abs(more):g} of 100 children {'more' if more > 0 else 'fewer'} are seen by the public"
        return (
            f"{self.names[place]} instead of {self.names[self.current]}: "
            f"{seen if more else 'the public sees as many children'}; shown numbers are off by "
            f"{_percent(other.relative_error)} (now {_percent(now.relative_error)}), those of partners by "
            f"{_children(other.partner_error)} children (now {_children(now.partner_error)})."
        )

    def _format_table(self) -> list[str]:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("", overflow="fold")
        for place, name in enumerate(self.names):
            policy = self.results[place].policy
            now = "current\n" if place == self.current else ""
            noise = f"variance {policy.variance:g}\nnear k {policy.variance_near_k:g}"
            head = f"{name}\n{now}k {policy.k}\n{noise}\nlargest {policy.largest}"
            table.add_column(head, justify="right", vertical="bottom")
        for words, format_value in _list_rows(self.results[0]):
            table.add_row(words, *([] if format_value is None else [format_value(r) for r in self.results]))
        width = max(shutil.get_terminal_size().columns, _NARROWEST) if sys.stdout.isatty() else _FILE_WIDTH
        console = Console(file=io.StringIO(), width=width, color_system=None)
        with console.capture() as output:
            console.print(table)
        return [line.rstrip() for line in output.get().splitlines()]


def _list_rows(first: PolicyResult) -> Iterator[tuple[str, _Format | None]]:
    """Yield the rows of the table: words, and the function that formats the value; None for a heading or empty row."""
    countries = [c for c in first.readers if c != BOTH]
    yield "WHAT READERS LOSE", None
    yield "Children the public does not see", None
    yield from _by_country(countries, lambda r: _percent(r.hidden_children, 0))
    yield "County-years that show a number", None
    yield from _by_country(countries, lambda r: _percent(r.cells_shown, 0))
    yield "Typical distance from true number (median)", None
    yield from _by_country(countries, lambda r: _percent(r.relative_error))
    yield ("Partners' average distance, in children", lambda m: _children(m.readers[BOTH].partner_error))
    yield "Counties without a breakdown", lambda m: f"{m.quietened:g}"
    yield "Public numbers withheld", lambda m: f"{m.withheld['public']:g}"
    yield "Partners' numbers withheld", lambda m: f"{m.withheld['partner']:g}"
    yield "", None
    yield "WHAT ATTACKERS GAIN (membership advantage)", None
    yield (f"One number (limit {LIMITS[0]:.2f})", lambda m: _mark_failure(m, ONE_NUMBER, m.attackers.one_number))
    yield (f"All numbers (limit {LIMITS[1]:.2f})", lambda m: _mark_failure(m, ALL_NUMBERS, m.attackers.all_numbers))
    yield "  interval", lambda m: f"{m.attackers.all_numbers_low:.2f} to {m.attackers.all_numbers_high:.2f}"
    yield "  before breakdowns were withheld", lambda m: f"{m.attackers.planned:.3f}"
    yield "A single child is shown as none", lambda m: _percent(m.attackers.one_as_none, 0)
    yield "", None
    yield "Limits", lambda m: "FAILS" if m.fails else "holds"


def _by_country(countries: Sequence[str], format_value: Callable[[Readers], str]) -> Iterator[tuple[str, _Format]]:
    names = area_table()["name_en"]
    for country in countries:
        yield f"  {names[country]}", lambda m, c=country: format_value(m.readers[c])  # type: ignore[misc]


def _mark_failure(result: PolicyResult, limit: str, value: float) -> str:
    return f"{'! ' if limit in result.fails else ''}{value:.3f}"


def _percent(share: float | None, digits: int = 1) -> str:
    return "none shown" if share is None else f"{100 * share:.{digits}f} %"


def _children(number: float | None) -> str:
    return "none shown" if number is None else f"{number:.1f}"


def _flatten(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{before}{name}_")
        else:
            yield before + name, " ".join(value) if isinstance(value, list) else value
