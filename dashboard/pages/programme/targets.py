"""The target group of the programme: how many children it set out to reach, and how many the release says it met."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.pages.programme.render import render_bullet
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, may_download
from dashboard.site.text import _, format_number, format_period, html, join_markup, translate
from dashboard.widgets import page_frame
from data.release.targets import GROUPS, read_targets
from geo.export import encode_csv
from geo.export.targets import COUNTED, GROUP_NAMES, build_targets
from geo.layers.output import terms


@cache_once(maxsize=16)
def _read_targets(current: CurrentRelease) -> pd.DataFrame:
    """Return the rows of `read_targets`. All sessions share them: never change them."""
    return read_targets(current.release)


def show_targets(current: CurrentRelease) -> None:
    """Show the target group with the children reached, and offer it as a file; nothing if the release has no target."""
    rows = _read_targets(current)
    if rows.empty:
        return
    st.header(_("Target group: both countries together"), anchor=False)
    st.html(render_targets(rows))
    page_frame.show_text(
        _(COUNTED) + " " + _("A child who was met at risk and became a victim later counts as at risk."),
        _("Source of the targets: {source}.", source=rows["target_source"].iloc[0]),
    )
    if may_download(current.release):
        content = encode_csv(build_targets(current.release, rows, translate))
        name = f"{terms.name_files(current.release, invented=current.release.invented)}-targets.csv"
        label = _("Download the target group (CSV)")
        page_frame.offer_file(label, partial(bytes, content), current, name, "text/csv", key="download-targets")


def describe_targets(current: CurrentRelease) -> str:
    """Return a sentence on the children reached of each group and its target; empty if there is no target."""
    words = {
        "at_risk": _("Reached of about {target} children at risk: {reached}."),
        "victims": _("Of about {target} victims: {reached}."),
    }
    words["families"] = _("Families: {reached}, of {children} children with household numbers.")
    rows = _read_targets(current).to_dict("records")
    reached = {row["group"]: _format_reached(row) for row in rows}
    more = {"children": reached.get("household_children", "")}
    return " ".join(
        words[group].format(target=format_number(row["target"]), reached=reached[group], **more)
        for group, row in zip(reached, rows, strict=True)
        if group in words
    )


def _format_reached(row: dict[Any, Any]) -> str:
    if math.isnan(row["value"]):
        return _("a number that is withheld")
    return _("{n} ±{margin}", n=format_number(row["value"]), margin=format_number(row["margin"]))


def render_targets(rows: pd.DataFrame) -> Markup:
    """Return the target group as a table: a group in each row, with its target and a bar of the children reached."""
    columns = [_("Group"), _("Target"), _("Children reached"), "", _("Period")]
    head = join_markup(html('<th scope="col">{}</th>', name) for name in columns)
    body = join_markup(
        html(
            '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>',
            _(GROUP_NAMES[row["group"]]),
            format_number(row["target"]),
            _format_reached(row),
            render_bullet(row["value"], row["target"]),
            format_period(row["period"]),
        )
        for row in rows.to_dict("records")
        if row["group"] in GROUPS
    )
    return html('<div class="wordtable"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>', head, body)
