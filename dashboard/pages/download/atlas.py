"""The atlas on the Download page: the map of the release in one file, which is made when the reader asks for it."""

from __future__ import annotations

from functools import lru_cache, partial

import streamlit as st

from dashboard.map.atlas import make_atlas, name_atlas
from dashboard.pages.download import files
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, find_language, speak
from dashboard.widgets import markup
from dashboard.widgets.page_frame import offer_file
from geo import export
from geo.layers import find_layer


def show_atlas(current: CurrentRelease) -> None:
    """Show buttons for the atlas and the atlas of communities.

    If the reader may not download files, show the command with which a data officer writes partner files instead.
    """
    sentence = _("The atlas opens in any browser, without a server or internet, and can be mailed.")
    st.html(markup.render_question(_("The map in one file"), sentence))
    if not current_release.may_download(current.release):
        st.caption(files.explain_command())
        st.code(files.format_command("atlas"), language=None, wrap_lines=True)
        return
    for layers in export.split_layers(current.release):
        communities = all(layer.nature == "community" for layer in layers)
        offer_file(
            _("Download the atlas of communities") if communities else _("Download the atlas"),
            partial(_make_once, current, tuple(layer.id for layer in layers), find_language()),
            current,
            name_atlas(current.release, layers),
            "application/octet-stream",  # a file to keep, never a page of this server
            key=f"download-atlas-{int(communities)}",
        )


@lru_cache(maxsize=4)
def _make_once(current: CurrentRelease, layers: tuple[str, ...], language: str) -> bytes:
    with files.MAKING, speak(language):
        return make_atlas(current.release, tuple(map(find_layer, layers))).encode()
