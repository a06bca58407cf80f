"""Shared parts of the processes of the map and the desk: Streamlit's settings, static files, and how to run them."""

from __future__ import annotations

import gc
import os
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread
from time import monotonic
from types import MappingProxyType
from typing import Any, TextIO

import uvicorn
from starlette.staticfiles import StaticFiles
from streamlit import net_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session, media_file_manager
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.session_manager import ActiveSessionInfo
from streamlit.runtime.state.session_state import SessionState, _is_stale_widget
from streamlit.web import bootstrap

from dashboard.web.gate import Entry
from dashboard.web.limits import PatientServer, make_limits, raise_file_limit, shorten_log

SCRIPT = Path(__file__).resolve().parent / "script"  # what Streamlit runs, and its settings
_TOGETHER = 100  # messages in one turn; Streamlit closes a connection for which 500 wait
_STAYS = 20.0  # seconds until the browser has asked for a file that was made for it, also over a slow line


class Assets(StaticFiles):
    """Static files. A browser may keep them for a day."""

    def file_response(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return the file with a header that says how long it may be kept."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


class WholeQueue(ForwardMsgQueue):
    """The messages that a browser has not received yet. They are sent together.

    The messages of a part of the page are kept when the part is drawn again. Streamlit would remove them, but not the
    messages of a dialog that the part has opened: the browser would then get the content of a dialog that it does not
    have, and show an empty page, or the dialog would never open.
    """

    def clear(self, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None) -> None:
        """Remove the messages that a run of the whole page replaces; a run of a part of the page removes none."""
        parts = None if fragment_ids_this_run is None else ["none of them"]
        super().clear(retain_lifecycle_msgs, parts)

    def flush(self) -> list[ForwardMsg]:
        """Return the messages in bundles, tuples that `_send_together` sends.

        After each message Streamlit gives all connections their turn. A page has two dozen messages, so its last one
        would wait for two dozen turns, and each turn is long while thousands of connections arrive.
        """
        messages = super().flush()
        starts = range(0, len(messages), _TOGETHER)
        return [tuple(messages[start : start + _TOGETHER]) for start in starts]  # type: ignore[misc]


_send_message = Runtime._send_message  # noqa: SLF001


def _send_together(runtime: Runtime, session: ActiveSessionInfo, messages: tuple[ForwardMsg, ...]) -> None:
    for message in messages:
        _send_message(runtime, session, message)


# The messages that pages send. Streamlit accepts more from anybody: to name files of a git repository, to empty caches.
_TAKEN = ("rerun_script", "stop_script", "app_heartbeat", "backend_operation_request", "file_urls_request")
_MOST_FILES = 20  # in one request for addresses of files; half a million would fit into a message
_handle_message = app_session.AppSession.handle_backmsg


def _take_message(session: app_session.AppSession, message: BackMsg) -> None:
    """Handle a message of a browser if pages send such messages; ignore any other."""
    if message.WhichOneof("type") in _TAKEN and len(message.file_urls_request.file_names) <= _MOST_FILES:
        _handle_message(session, message)


_remove_stale_widgets = SessionState._remove_stale_widgets  # noqa: SLF001


def _forget_stale_widgets(state: SessionState, active: frozenset[str]) -> None:
    """Forget the widgets that a session no longer has: first their values, then their descriptions.

    Streamlit keeps the descriptions, 2.5 kB each, until the session ends. The map has new widgets with each new view.
    """
    _remove_stale_widgets(state, active)
    context = get_script_run_ctx()
    if context is None:
        return
    described, mapper = state._new_widget_state.widget_metadata, state._key_id_mapper  # noqa: SLF001
    parts = context.fragment_ids_this_run
    for name in [name for name, description in described.items() if _is_stale_widget(description, active, parts)]:
        del described[name]
        key = mapper.id_key_mapping.get(name)
        if key is not None and mapper.get_id_from_key(key) == name:
            mapper.delete(key)


class FileToTake(media_file_manager.MediaFileMetadata):
    """The metadata of a file of a page. The file stays for `_STAYS` seconds after no page shows it any more.

    A file that is made when its button is pressed is on no page. Streamlit removes it after two pages were drawn for
    any readers. If there are many readers, that is before the browser of this reader has asked for it.
    """

    _until: float | None = None

    @property
    def is_marked_for_delete(self) -> bool:
        """Whether the file may be removed now."""
        return self._until is not None and monotonic() > self._until

    def mark_for_delete(self) -> None:
        """Let the file go `_STAYS` seconds after the first call."""
        if self._until is None:
            self._until = monotonic() + _STAYS


def keep_made_files() -> None:
    """Keep each file of a page for `_STAYS` seconds after its page is gone.

    The desk does not call this, because its files have content of records.
    """
    media_file_manager.MediaFileMetadata = FileToTake  # type: ignore[misc]


_populate_theme = app_session._populate_theme_msg  # noqa: SLF001


def _copy_theme(msg: CustomThemeConfig, section: str = "theme") -> None:
    """Put a part of the theme into a message. Streamlit's own function reads all settings six times for each change."""
    theme = _make_theme(section)
    if theme.ListFields():  # else this part stays absent
        msg.MergeFrom(theme)


@cache
def _make_theme(section: str) -> CustomThemeConfig:
    theme = CustomThemeConfig()
    _populate_theme(theme, section)
    return theme


def apply_settings(host: str, port: int, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Set Streamlit's settings, and replace functions of Streamlit by those of this module.

    changes : settings that replace those of config.toml. Streamlit will ask no outside service for its own address.
    """
    net_util.get_external_ip = lambda: None
    app_session.ForwardMsgQueue = WholeQueue  # type: ignore[attr-defined]
    Runtime._send_message = _send_together  # type: ignore[assignment,method-assign] # noqa: SLF001
    app_session.AppSession.handle_backmsg = _take_message  # type: ignore[assignment, method-assign]
    SessionState._remove_stale_widgets = _forget_stale_widgets  # type: ignore[assignment,method-assign] # noqa: SLF001
    app_session._populate_theme_msg = _copy_theme  # noqa: SLF001
    _make_theme.cache_clear()
    text = (SCRIPT / "config.toml").read_text(encoding="utf-8")
    options = _flatten(tomllib.loads(text))
    # A collection after each run costs more than the run; the interpreter collects by itself.
    options["runner.postScriptGC"] = False
    options["server.address"] = host
    options["server.port"] = port
    options["browser.serverAddress"] = host
    bootstrap.load_config_options({**options, **changes})


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            options.update(_flatten(value, f"{prefix}{name}."))
        else:
            options[f"{prefix}{name}"] = value
    return options


def take_output() -> TextIO:
    """Return standard output, which from then on is only for addresses.

    Everything else that the program or a library prints goes to standard error.
    """
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def print_address(output: TextIO, url: str, entry: Entry | None) -> None:
    """Print the address of the process; with an entry, the address lets one browser in."""
    output.write(f"{url if entry is None else entry.make_address(url)}\n")


def follow_input(output: TextIO, url: str, entry: Entry | None) -> None:
    """Print the address again for each line of standard input, and end this process when the input ends."""
    Thread(target=_print_at_each_line, args=(output, url, entry), daemon=True).start()


def _print_at_each_line(output: TextIO, url: str, entry: Entry | None) -> None:
    try:
        # Not through Python's own buffer, whose lock would delay the end of the process.
        while os.read(sys.stdin.fileno(), 4096):
            print_address(output, url, entry)
    finally:
        os._exit(0)  # the process at the other end has ended, or was killed


def run_application(application: Any, host: str, port: int, *, has_proxy: bool = False) -> None:  # noqa: ANN401
    """Serve an application until the process is stopped, with or without a proxy in front. No request is logged."""
    shorten_log()
    # Collections of garbage are rarer, without imported objects, which stay in memory anyway: during a full one nobody
    # gets an answer. With thousands of half-open connections that was 0.3 s of each 4 s.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)  # objects; searches of the young and of the older ones until the next larger one
    # After so many seconds the script of a page lets the connections go on; the default is ten times as long.
    sys.setswitchinterval(0.0005)
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        **make_limits(raise_file_limit(), has_proxy=has_proxy),
    )
    with suppress(KeyboardInterrupt):
        PatientServer(config).run()
