"""Functions that several pages use: messages about missing content, and parts and files that follow the release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import streamlit as st

from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.file_places import take_place
from dashboard.site.text import _, html
from dashboard.widgets.markup import render_paragraphs
from data.errors import ReleaseError

OF_PAGE = "of-page-"  # first part of the keys of session values that are deleted when the reader leaves the page


def show_text(*sentences: str) -> None:
    """Show each text as a paragraph. Empty texts are left out."""
    st.html(render_paragraphs(sentences))


def show_outside() -> None:
    """Show a message that this content is outside the countries that the reader was invited for."""
    st.info(_("This is computed from all countries together. It is outside those that you were invited for."))


def show_no_risk() -> None:
    """Show what to do if the risk model was not fitted to the release."""
    _show_no_result(_("The risk model has not been calculated for this release"))


def show_no_access() -> None:
    """Show what to do if access to services was not calculated for the release."""
    _show_no_result(_("Access to services has not been calculated for this release"))


def _show_no_result(title: str) -> None:
    if read_site().countries:
        show_outside()
        return
    _show_to_do(
        title,
        _("A data officer can do that in about a minute:"),
        "tact risk",
        _("Then it is shown here and as a new layer on the map."),
    )


def show_no_posts() -> None:
    """Show what to do if it is not known where teams and services are."""
    _show_to_do(
        _("No post of a team is known, so no move can be calculated"),
        _("Load a table of posts under “Current posts”, or a data officer imports days of outreach:"),
        "tact import FILE --kind effort\ntact release\ntact risk",
        _("Then the moves are calculated here."),
    )


def open_shown_release() -> CurrentRelease | None:
    """Open the release that a page shows; if there is none, show what to do and return None.

    Raises ReleaseError if the release does not exist, and ReleaseDamaged if it was changed.
    """
    current = current_release.open_current_release(read_site())
    if current is None:
        show_no_release()
    return current


def show_part(show: Callable[..., None], current: CurrentRelease, *more: object, every: float | None = None) -> None:
    """Show a part of a page that is drawn again by itself; `show` gets the release and the other arguments.

    If the release has changed meanwhile, for example because a measure is not shown any more, the whole page is drawn
    again. every : the part is drawn again after this number of seconds; None: only when the reader changes something.
    """

    @wraps(show)
    def draw() -> None:
        if current_release.open_current_release(read_site()) != current:
            st.rerun()
        show(current, *more)

    st.fragment(draw, run_every=every)()


def offer_file(
    label: str,
    make: Callable[[], bytes],
    current: CurrentRelease,
    name: str,
    kind: str,
    **more: Any,  # noqa: ANN401 (as Streamlit has it)
) -> bool:
    """Show a button to download a file of a release, and return whether it was pressed just now.

    The content of the file is made when the button is pressed.

    make : returns the content; it runs in another thread, which does not know the reader's language. name : the name of
    the file. kind : its media type. more : as for `st.download_button`, which draws nothing again unless it is told to.
    """
    return st.download_button(label, follow_shown(make, current), name, kind, **{"on_click": "ignore", **more})


def follow_shown(make: Callable[[], bytes], current: CurrentRelease) -> Callable[[], bytes]:
    """Return a function that makes a file of a release later, in any thread, if the release is still shown.

    The function raises ReleaseError if the release is not shown any more, or if its shown measures have changed, and
    NoPlaceError if too many readers wait for a file.
    """
    site = replace(read_site(), asked=current.release.name)

    def make_file() -> bytes:
        with take_place():
            now = current_release.open_current_release(site)
            if now is None or (now.checksum, now.without) != (current.checksum, current.without):
                name = current.release.name
                raise ReleaseError(f"Release {name} is not shown any more as it was. Open the page again.")
            return make()

    return make_file


def show_no_release() -> None:
    """Show what to do if there is no release."""
    _show_to_do(
        _("There is no release to show yet"),
        _("A data officer imports the partners' files and makes a release:"),
        "tact import FILE\ntact release",
        _("Then it is shown here. To try the product first, build the demo with invented data:"),
        "tact demo",
    )


def _show_to_do(title: str, sentence: str, command: str, hint: str, other: str = "") -> None:
    with st.container(key="empty"):
        st.html(
            html(
                "<h2>{}</h2><p>{}</p><pre>{}</pre><p>{}</p>{}",
                title,
                sentence,
                command,
                hint,
                html("<pre>{}</pre>", other) if other else "",
            )
        )
