"""The Overview of the public tier: only what public numbers can say."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.map.area_marks import AreaMark, Key
from dashboard.map.legend import LegendClass
from dashboard.narrative.answer import Finding
from dashboard.narrative.risk import name_claim, read_public_classes
from dashboard.narrative.speech import Speech
from dashboard.pages.overview import ranking
from dashboard.pages.overview.alerts import Alert, lead_to_news
from dashboard.pages.overview.content import Content, Link
from dashboard.site import NEWS
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, format_period, html, join_markup
from data.message import mark
from geo.layers.core import palette
from geo.layers.risk import PUBLIC, RATES

ORDERS = {"class": mark("Rank by class"), "name": mark("By name")}
_WHITE = "#fff"
_HIGH = ("very_high", "high")


def make_content(t: Speech, current: CurrentRelease) -> Content:
    """Return the content of the page for a release of the public tier."""
    table = load_areas(current.release).table
    country_of = {str(code): str(table["country"][code]) for code in table.index[table["level"] == "region"]}
    period, claims = read_public_classes(current)
    shown = {code: country_of[code] for code in country_of if code in claims} or country_of
    histories = ranking.read_histories(current)

    def render_rows(country: str, order: str, _pathway: str) -> Markup:
        rank = {code: i for i, code in enumerate(PUBLIC)}
        codes = [code for code in shown if shown[code] == country]
        codes.sort(key=lambda code: (-rank.get(claims.get(code, ""), -1) if order == "class" else 0, t.name_area(code)))
        return _render_rows(t, codes, claims, histories)

    colours = dict(zip(RATES, palette.RISK, strict=True))
    classes = [LegendClass(colours[code], name_claim(code)) for code in PUBLIC if code in claims.values()]
    unsure = _("Crosses: cannot tell. That does not mean low.") if "" in claims.values() else ""
    unit = format_period(period) if period else _("no year is final yet")
    return Content(
        findings=_word_findings(t, shown, claims, period),
        links=[
            Link(_("See the map"), "map", main=True),
            Link(_("See the classes"), "risk"),
            Link(_("How is this protected?"), "method"),
        ],
        note=_("Public tier: yearly numbers and classes alone. Numbers carry noise that protects children."),
        key=Key(_("Class of the rate, compared with the national average"), unit, classes, [unsure], in_words=True),
        marks={code: _make_mark(t, code, claims.get(code, "")) for code in shown},
        areas=shown,
        flows=(),
        orders={name: _(words) for name, words in ORDERS.items()},
        alerts=lambda earlier: [_say_what_is_new(current, earlier)],
        render_rows=render_rows,
        word_area=lambda _code, _pathway: Markup(""),
    )


def _word_findings(t: Speech, shown: dict[str, str], claims: dict[str, str], period: str) -> list[Finding]:
    beyond = Finding(
        _("Unmet need, the change in Tirana and Durrës and advice on moves are on the partner tier"),
        _("public numbers are too coarse to say them"),
    )
    if not claims:
        return [Finding(_("No public year is final yet, so there are no classes of risk")), beyond]
    high = [code for code in shown if claims.get(code, "") in _HIGH]
    unsure = sum(not claim for claim in claims.values())
    lead = _("No area has a high rate by public numbers")
    if high:
        lead = _("The rate is high in {areas} by public numbers", areas=t.list_areas(high, 4))
    detail = _(
        "{period}; cannot tell for {unsure} of {all} areas",
        period=format_period(period),
        unsure=unsure,
        all=len(claims),
    )
    return [Finding(lead, detail), beyond]


def _make_mark(t: Speech, code: str, claim: str) -> AreaMark:
    colours, name = dict(zip(RATES, palette.RISK, strict=True)), t.name_area(code)
    colour = colours.get(claim, _WHITE)
    return AreaMark(name, colour, f"{name}: {name_claim(claim)}", unsure=not claim)


def _render_rows(t: Speech, codes: list[str], claims: dict[str, str], histories: dict[str, ranking.History]) -> Markup:
    rows = join_markup(
        html(
            '<tr data-area="{}"><th scope="row"><a href="?area={}" target="_self">{}</a></th>'
            "<td>{}</td><td>{}</td></tr>",
            code,
            code,
            t.name_area(code),
            name_claim(claims.get(code, "")),
            ranking.render_history(histories.get(code)),
        )
        for code in codes
    )
    heads = join_markup(
        html('<th scope="col">{}</th>', head) for head in (_("Area"), _("Class of the rate"), _("Met, by year"))
    )
    return html(
        '<div class="ranking plain" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        heads,
        rows,
    )


def _say_what_is_new(current: CurrentRelease, earlier: CurrentRelease | None) -> Alert:
    if earlier is None:
        return Alert(_("First release: nothing to compare with yet"), "", "trends", calm=True)
    before, now = read_public_classes(earlier)[0], read_public_classes(current)[0]
    if now > before:
        return Alert(_("A new year is final: {year}", year=format_period(now)), _("see what is new"), NEWS)
    return lead_to_news(current, earlier)
