"""The two places where this product replaces a part of Streamlit, each with a check that stops the start.

A check fails when a version of Streamlit has the part no longer, or with another signature. Then the process ends with
a sentence that names the version to install, before it listens.
"""

from __future__ import annotations

import inspect
from time import monotonic
from typing import Any

import streamlit
from streamlit import net_util
from streamlit.runtime import media_file_manager

from data.errors import InputError

TRIED = "1.67"  # the Streamlit in which both parts were tried; pyproject.toml allows no other
_STAYS = 20.0  # seconds until the browser has asked for a file that was made for it, also over a slow line
_PARTS = {"kind", "is_marked_for_delete", "mark_for_delete"}  # of the metadata of a file


class SeamLost(InputError):
    """Streamlit has no longer the part that is replaced here."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"Streamlit {streamlit.__version__} has no usable {part}. Install Streamlit {TRIED}: "
            "`pip install -r requirements.lock`."
        )


def ask_nobody_outside() -> None:
    """Make Streamlit ask no service on the internet for the address of this machine.

    It asks when a page comes from an origin that it does not know; no setting turns this off. A reader without a
    network would see a page that opens seconds later. Raises SeamLost.
    """
    if inspect.signature(_find(net_util, "get_external_ip")).parameters:
        raise SeamLost("net_util.get_external_ip")
    net_util.get_external_ip = lambda: None


def keep_made_files() -> None:
    """Keep each file of a page for `_STAYS` seconds after its page is gone. Raises SeamLost.

    A file that is made when its button is pressed is on no page. Streamlit removes it after two pages were drawn for
    any readers. If there are many readers, that is before the browser of this reader has asked for it, and the
    download fails. The desk does not call this, because its files have content of records.
    """
    known = _find(media_file_manager, "MediaFileMetadata")
    if not set(dir(known)) >= _PARTS or not inspect.ismethod(getattr(_make(known), "mark_for_delete", None)):
        raise SeamLost("media_file_manager.MediaFileMetadata")

    class FileToTake(known):  # type: ignore[misc,valid-type]
        """The metadata of a file of a page, which stays for `_STAYS` seconds after no page shows it any more."""

        _until: float | None = None

        @property
        def is_marked_for_delete(self) -> bool:
            return self._until is not None and monotonic() > self._until

        def mark_for_delete(self) -> None:
            self._until = self._until if self._until is not None else monotonic() + _STAYS

    media_file_manager.MediaFileMetadata = FileToTake  # type: ignore[misc]


def _find(module: Any, name: str) -> Any:  # noqa: ANN401
    if not callable(part := getattr(module, name, None)):
        raise SeamLost(f"{module.__name__.removeprefix('streamlit.')}.{name}")
    return part


def _make(known: Any) -> Any:  # noqa: ANN401
    try:
        return known()
    except TypeError:
        raise SeamLost("media_file_manager.MediaFileMetadata") from None
