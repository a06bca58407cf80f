"""The form of the Download page: layers, format, and the button that makes the file."""

from __future__ import annotations

import streamlit as st

from dashboard.pages.download import files
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets.page_frame import offer_file
from geo.layers import find_layer


def choose_layers(current: CurrentRelease) -> tuple[str, ...]:
    """Ask for layers and a format, offer the file, and return the ids of the chosen layers (empty for none).

    If the reader may not download files, show the command with which a data officer writes partner files instead.
    """
    offered, forms = files.list_layers(current.release), {f.id: f for f in files.FORMATS}
    for key, value in files.read_request(current.release, st.query_params).items():
        st.session_state.setdefault(f"download-{key}", value)
    picked = st.pills(
        _("Layers"), offered, selection_mode="multi", format_func=name_layer, key="download-layers", wrap=True
    )
    uses = [_(f.use) for f in forms.values()]
    kind = st.radio(_("Format"), list(forms), format_func=files.NAMES.__getitem__, captions=uses, key="download-format")
    layers = tuple(name for name in offered if name in picked)
    if not layers:
        st.query_params.pop("layers", None)
        st.button(_("Download {format}", format=forms[kind].name), type="primary", disabled=True)
        st.caption(_("No layer is chosen. Choose at least one above, and its file is offered here."))
        return ()
    st.query_params.update({"format": kind, "layers": ",".join(layers)})
    if not current_release.may_download(current.release):
        st.caption(files.explain_command())
        st.code(files.format_command("export", f" --format {kind}"), language=None, wrap_lines=True)
        return layers
    file = files.make_offer(current, kind, layers)
    label = _("Download {format} in a ZIP file") if file.zipped else _("Download {format}")
    offer_file(label.format(format=forms[kind].name), file.make, current, file.name, file.kind, type="primary")
    st.caption(file.sentence)
    return layers


def name_layer(name: str) -> str:
    """Return the title of the layer with this id."""
    return _(find_layer(name).title)
