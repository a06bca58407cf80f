"""All addresses of a map with sign-in, which tests try with every role: a route that is not listed fails a test."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.site import (
    ACCOUNT,
    ANSWER,
    FEATURES,
    HEALTH,
    INVITATION,
    NEWEST,
    PASSKEY,
    PASSKEY_SCRIPT,
    PROVIDER,
    SIGN_IN,
)
from dashboard.web.page_list import PAGES
from dashboard.web.start_page import MOVED
from data.accounts.rights import Right

ADDRESSES: Mapping[str, Right | None] = {
    **{f"/{page.address}": page.right for page in PAGES},
    **{f"/{old}": Right.SEE_PUBLIC for old in MOVED},
    "/geometry/land.json": Right.SEE_PUBLIC,
    "/geometry/words/en.json": Right.SEE_PUBLIC,
    "/geometry/find.json": Right.SEE_PUBLIC,
    "/geometry/shipped/region.json": Right.SEE_PUBLIC,
    "/picture/overview.png": Right.EXPORT,
    "/picture/reallocate.png": Right.EXPORT,
    "/slides/none.pdf": Right.EXPORT,
    FEATURES: Right.EXPORT,
    f"{FEATURES}/collections": Right.EXPORT,
    "/meeting/words.json": Right.SEE_PUBLIC,
    "/meeting/none": Right.SEE_PUBLIC,
    NEWEST: Right.SEE_PUBLIC,
    "/assets/theme.css": Right.SEE_PUBLIC,
    "/_stcore/health": Right.SEE_PUBLIC,
    "/_stcore/host-config": Right.SEE_PUBLIC,
    "/_stcore/bidi-components/none": Right.SEE_PUBLIC,
    "/_stcore/upload_file/x/y": Right.UPLOAD,
    "/media/none.csv": Right.SEE_PUBLIC,
    "/component/none": Right.SEE_PUBLIC,
    "/static/none": Right.SEE_PUBLIC,
    "/favicon.png": Right.SEE_PUBLIC,
    "/manifest.json": Right.SEE_PUBLIC,
    "/index.html": None,
    "/_stcore/metrics": None,
    "/_stcore/agent/openapi.json": None,
    "/auth/login": None,
    "/oauth2callback": None,
    "/no-such-page": None,
}
"""The right that a path needs; None if nobody gets an answer."""
WEBSOCKETS = ("/_stcore/stream", "/meeting/line")
"""Open to all who have signed in. Each page requires its own right, and opening a meeting the right to present."""
DOOR: Mapping[tuple[str, str], tuple[int, int]] = {
    ("GET", HEALTH): (200, 200),
    ("GET", SIGN_IN): (200, 303),
    ("POST", SIGN_IN): (403, 403),
    ("GET", INVITATION): (403, 403),
    ("POST", INVITATION): (403, 403),
    ("GET", ACCOUNT): (403, 200),
    ("POST", "/sign-out"): (403, 200),
    ("POST", PASSKEY): (403, 404),
    ("GET", PASSKEY_SCRIPT): (403, 404),
    ("GET", PROVIDER): (403, 404),
    ("GET", ANSWER): (403, 404),
}
"""The statuses with which the door itself answers a person who has not signed in, and one who has, in any role. Without
an invitation, the door's own form, https or a provider, nobody can sign in or out."""


def list_addresses() -> list[str]:
    """List all paths that tests try."""
    return [*ADDRESSES, *WEBSOCKETS, *(path for _method, path in DOOR)]
