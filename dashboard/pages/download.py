"""Taking layers away: which ones, in which format, and what goes with them."""

from __future__ import annotations

import streamlit as st

from dashboard import frame, prose, takeaway
from dashboard.access import site
from dashboard.reading import Held, held
from dashboard.text import _
from geo.layers import layer, terms

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = held(site())
    if of is None:
        frame.empty()
        return
    st.title(_("Download"), anchor=False)
    _page(of)
    st.header(_("What the states mean"), anchor=False)
    st.html(prose.table(takeaway.states(of.release)))


@st.fragment
def _page(of: Held) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        layers = _choose(of)
    with right, st.container(border=True):
        _terms(of)
    if layers:
        st.header(_("What is in it"), anchor=False)
        st.html(prose.table(takeaway.contents(of.release, layers)))
        shown = st.selectbox(_("First rows of"), layers, format_func=_title, width=320)
        st.dataframe(takeaway.preview(of.release, shown or layers[0]))


def _choose(of: Held) -> tuple[str, ...]:
    """Ask for layers and a format, and offer the file; give the chosen layers."""
    offered, forms = takeaway.offered(of.release), {f.id: f for f in takeaway.FORMATS}
    for key, value in takeaway.asked(of.release, st.query_params).items():
        st.session_state.setdefault(f"download-{key}", value)
    picked = st.pills(
        _("Layers"), offered, selection_mode="multi", format_func=_title, key="download-layers", wrap=True
    )
    uses = [_(f.use) for f in forms.values()]
    kind = st.radio(
        _("Format"), list(forms), format_func=takeaway.NAMES.__getitem__, captions=uses, key="download-format"
    )
    layers = tuple(name for name in offered if name in picked)
    if not layers:
        st.info(_("Choose at least one layer."))
        return ()
    st.query_params.update({"format": kind, "layers": ",".join(layers)})
    file = takeaway.offer(of, kind, layers)
    label = _("Download {format}", format=forms[kind].name)
    st.download_button(label, file.make, file.name, file.kind, type="primary", on_click="ignore")
    st.caption(file.told)
    return layers


def _title(name: str) -> str:
    return _(layer(name).title)


def _terms(of: Held) -> None:
    st.html(prose.paragraphs(takeaway.terms_of_use(of.release)))
    st.caption(_("Cite it as"))
    st.code(terms.citation(of.release), language=None, wrap_lines=True)
