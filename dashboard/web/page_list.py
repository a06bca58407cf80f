"""The list of pages."""

from __future__ import annotations

from typing import NamedTuple

from data.accounts.rights import Right
from data.message import mark

_MODEL = ("internal", "cross_border")
_EVERY = ("all", *_MODEL)


class PageEntry(NamedTuple):
    """A page: its folder, title, address, the right that it needs, and the choices of the bar that it follows.

    package : the package of the folder. A page that uses the other pages is in another package, which may import them.
    """

    module: str
    title: str
    address: str
    right: Right
    area: bool = False
    pathways: tuple[str, ...] = ()
    package: str = "dashboard.pages"


# In the order of the bar. The first one opens by itself, at the root.
PAGES = (
    PageEntry("overview", mark("Overview"), "", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("situation", mark("Map"), "map", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("risk", mark("Risk"), "risk", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("flows", mark("Flows"), "flows", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("coverage", mark("Coverage"), "coverage", Right.SEE_PUBLIC, area=True),
    PageEntry("trends", mark("Trends"), "trends", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("reallocate", mark("Reallocate"), "reallocate", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("programme", mark("Programme"), "programme", Right.SEE_PUBLIC, area=True),
    PageEntry("download", mark("Download"), "download", Right.EXPORT),
    PageEntry("method", mark("Method"), "method", Right.SEE_PUBLIC),
    PageEntry("agenda", mark("Agenda"), "agenda", Right.SEE_PUBLIC, package="dashboard.web"),
)
# The pages that show a release. The Agenda page shows what people made of it.
RELEASE_PAGES = tuple(page for page in PAGES if page.package == "dashboard.pages")
