"""The table of the right that each address of the map needs. An address that is not in the table is never answered."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.site import FEATURES, HEALTH, NEWEST
from dashboard.web.conversations import MEDIA
from dashboard.web.page_list import PAGES
from dashboard.web.start_page import MOVED
from data.accounts.rights import Right

NEEDED: Mapping[str, Right] = {
    "/geometry/": Right.SEE_PUBLIC,  # boundaries; no number
    "/picture/": Right.EXPORT,
    FEATURES: Right.EXPORT,
    f"{FEATURES}/": Right.EXPORT,
    # Words, the line of a member, short addresses. A room asks for the right to present, and to see each view.
    "/meeting/": Right.SEE_PUBLIC,
    NEWEST: Right.SEE_PUBLIC,  # a name alone
    "/slides/": Right.EXPORT,  # of an agenda, with the views that the reader may see
    "/assets/": Right.SEE_PUBLIC,
    # Of Streamlit:
    "/static/": Right.SEE_PUBLIC,
    "/favicon.png": Right.SEE_PUBLIC,
    "/manifest.json": Right.SEE_PUBLIC,
    "/component/": Right.SEE_PUBLIC,
    "/_stcore/bidi-components/": Right.SEE_PUBLIC,
    "/_stcore/health": Right.SEE_PUBLIC,
    "/_stcore/host-config": Right.SEE_PUBLIC,
    # Each page in the conversation asks for its own right, see navigation.run_page.
    "/_stcore/stream": Right.SEE_PUBLIC,
    # Files of a page. The door gives each to the reader to whom it was offered; none is made without the right to it.
    MEDIA: Right.SEE_PUBLIC,
    # Tables of posts and tasks on Reallocate, a table to be checked on Download.
    "/_stcore/upload_file/": Right.UPLOAD,
}
"""The right for each beginning of a path; a beginning without a slash at its end must be the whole path."""
OPEN = frozenset({HEALTH})  # needs nothing, and tells nothing
CLOSED = ("/_stcore/metrics", "/_stcore/agent/", "/auth/", "/oauth2callback")
"""What Streamlit serves too and nobody gets, see SecurityHeaders: measurements, which say how many people read and how
much memory they take; programs that drive the pages; a sign-in of its own."""


def find_right(path: str) -> Right | None:
    """Return the right that a path needs; None for a path that nobody may open."""
    if path in _PAGES:
        return _PAGES[path]
    for start, right in NEEDED.items():
        if path == start or (start.endswith("/") and path.startswith(start)):
            return right
    return None


_PAGES: Mapping[str, Right] = {
    **{f"/{old}": Right.SEE_PUBLIC for old in MOVED},
    **{f"/{page.address}": page.right for page in PAGES},
}
