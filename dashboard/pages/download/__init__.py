"""The Download page: layers in a format, the map in one file, tables for a standard, and what the files contain."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.pages.download import files, live
from dashboard.pages.download.atlas import show_atlas
from dashboard.pages.download.check import show_check
from dashboard.pages.download.report import show_report
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from dashboard.widgets import markup, page_frame
from dashboard.widgets.page_frame import offer_file
from geo.layers import find_layer
from geo.layers.output import terms


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    st.title(_("Download"), anchor=False)
    page_frame.show_part(_show_page, current)
    with st.expander(_("Terms and citation")):
        page_frame.show_text(*files.list_terms(current.release))
        st.caption(_("Cite it as"))
        st.code(terms.format_citation(current.release), language=None, wrap_lines=True)
        if current_release.may_download(current.release):
            page_frame.offer_file(
                _("Download the citation for reference lists and catalogues"),
                partial(files.pack_records, current.release),
                current,
                f"{terms.name_files(current.release, invented=current.release.invented)}-records.zip",
                "application/zip",
                help=_("CITATION.cff, BibTeX, DCAT-AP and ISO 19115 in a ZIP file."),
            )
    with st.expander(_("What the states mean")):
        st.html(markup.render_table(files.tabulate_states(current.release)))


def _show_page(current: CurrentRelease) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = _choose_layers(current)
        live.show_address(current)
    with right:
        with st.container(border=True, key="atlas"):
            show_atlas(current)
            page_frame.show_text(*files.list_terms(current.release)[:2])
        show_report(current)
    if layers:
        with st.expander(_("What is in it")):
            st.html(markup.render_table(files.tabulate_contents(current.release, layers)))
            shown = st.selectbox(_("First rows of"), layers, format_func=name_layer, width=320)
            st.dataframe(files.preview_layer(current.release, shown or layers[0]))
    show_check(current)


def _choose_layers(current: CurrentRelease) -> tuple[str, ...]:
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
