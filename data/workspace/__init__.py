"""The workspace: the folder with one programme's data, real or invented, and its parts.

This module knows only the folder name of the vault, so that any module may import it.
"""

import datetime as dt
import os
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

import platformdirs

from data.errors import WorkspaceError
from data.message import Message, join_messages
from data.workspace import files
from data.workspace.toml_text import parse_toml

__all__ = ["KINDS", "PRACTICE", "Kind", "Workspace", "default_path", "demo_path", "name_keys"]

Kind = Literal["real", "invented"]
KINDS: tuple[str, ...] = get_args(Kind)

PRACTICE = "practice/"  # before the identity of a workspace with invented records, where its keys are looked for
_APP = "tact-map"
_TOML = "workspace.toml"
_FORMAT = 1
_PARTS = ("mappings", "rejects", "areas", "releases", "derived")
_PRIVATE = 0o700


def default_path() -> Path:
    """Return the path of the workspace that is used by default, in the user's data folder."""
    return platformdirs.user_data_path(_APP, appauthor=False) / "workspace"


def demo_path() -> Path:
    """Return the path of the demo's workspace, which is separate from any real one."""
    return platformdirs.user_data_path(_APP, appauthor=False) / "demo"


def name_keys(workspace_id: str, kind: str) -> str:
    """Return the name by which the keys of a workspace are found, so that those of practice lie apart."""
    return PRACTICE + workspace_id if kind == "invented" else workspace_id


@dataclass(frozen=True)
class Workspace:
    """One programme's folder.

    `id` is a UUID by which its keys are found, `kind` is "real" or "invented" and never changes, `created` is a time
    (ISO, UTC), `start_month` (1 to 12) is the first month of the programme's year, `demo` marks the demo, into which
    nothing can be imported.
    """

    path: Path
    id: str
    kind: Kind
    created: str
    start_month: int = 6
    demo: bool = False

    @classmethod
    def create(
        cls, path: Path, kind: str, *, start_month: int = 6, workspace_id: str | None = None, demo: bool = False
    ) -> Self:
        """Create a workspace in a new or empty folder that only its owner can enter (mode 700).

        Only a restore passes `workspace_id`. Raises WorkspaceError if the folder is in use or cannot be made, or if an
        argument is not allowed.
        """
        path = Path(path).absolute()
        if kind not in KINDS:
            raise WorkspaceError(
                Message("A workspace is of kind {kinds}, not {kind!r}.", kinds=" or ".join(KINDS), kind=kind)
            )
        _check_month(start_month)
        if (path / _TOML).exists():
            raise WorkspaceError(Message("{path} is a workspace already. Use it, or choose another folder.", path=path))
        if path.exists() and not path.is_dir():
            raise WorkspaceError(Message("{path} is a file. A workspace is a folder: choose another name.", path=path))
        if path.is_dir() and not all(_unfinished(entry) for entry in path.iterdir()):
            raise WorkspaceError(Message("{path} holds other files. Choose a folder that is new or empty.", path=path))
        created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        name = _check_id(workspace_id) if workspace_id else str(uuid.uuid4())
        workspace = cls(path, name, kind, created, start_month, demo)  # type: ignore[arg-type]
        try:
            path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            if os.name != "nt":
                path.chmod(_PRIVATE)
            for part in _PARTS:
                (path / part).mkdir(mode=_PRIVATE, exist_ok=True)
            # Written last, so that a folder with this file is complete.
            files.write_text(path / _TOML, workspace._toml(), mode=0o600)
            files.fsync_folder(path.parent)
        except OSError as error:
            raise WorkspaceError(
                Message(
                    "The workspace {path} could not be made: {reason}. Choose a folder that you may write to: "
                    "`tact --workspace FOLDER init`.",
                    path=path,
                    reason=error.strerror,
                )
            ) from error
        return workspace

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read an existing workspace's description.

        Raises WorkspaceError if there is none, or if it cannot be read, was changed or has another format.
        """
        path = Path(path).absolute()
        try:
            text = (path / _TOML).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise WorkspaceError(
                Message(
                    "There is no workspace at {path}. If you have one, give its folder: export TACT_WORKSPACE=DIR. "
                    "Else make one with `tact --workspace '{path}' init`, or try the demo with invented data: "
                    "`tact demo`.",
                    path=path,
                )
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            fault = Message("{path} cannot be read: {why}", path=path / _TOML, why=f"{error}.")
            remedy = Message("Check that you may read the folder.")
            raise WorkspaceError(join_messages([fault, remedy])) from error
        return cls._parse(path, text)

    @classmethod
    def _parse(cls, path: Path, text: str) -> Self:
        try:
            fields = parse_toml(text)
        except tomllib.TOMLDecodeError as error:
            raise _damaged(path, str(error)) from error
        if fields.get("format") != _FORMAT:
            version = fields.get("format")
            raise _damaged(
                path,
                Message("format is {found!r}; this version reads format {readable}", found=version, readable=_FORMAT),
            )
        if fields.get("kind") not in KINDS:
            raise _damaged(
                path,
                Message("kind is {found!r}; allowed are {allowed}", found=fields.get("kind"), allowed=", ".join(KINDS)),
            )
        try:
            month = _check_month(fields.get("start_month"))
            name = _check_id(fields.get("id"))
        except WorkspaceError as error:
            raise _damaged(path, error.message) from error
        demo = fields.get("demo") is True
        return cls(path, name, fields["kind"], str(fields.get("created", "")), month, demo)

    @property
    def key_id(self) -> str:
        """The name by which its keys are found."""
        return name_keys(self.id, self.kind)

    @property
    def vault(self) -> Path:
        """The folder of the encrypted records; it does not exist before the vault is made."""
        return self.path / "vault"

    @property
    def mappings(self) -> Path:
        """The folder of the partners' column mappings, one file for each partner."""
        return self.path / "mappings"

    @property
    def rejects(self) -> Path:
        """The folder of lists of rejected rows, one for each imported file."""
        return self.path / "rejects"

    @property
    def areas(self) -> Path:
        """The folder of boundaries that were imported into this workspace."""
        return self.path / "areas"

    @property
    def releases(self) -> Path:
        """The folder of releases, with the file `current`.

        The web process gets only this folder, `derived` and, if people sign in, the file of accounts.
        """
        return self.path / "releases"

    @property
    def derived(self) -> Path:
        """The folder of what is made from releases: results of audits and of the risk model, saved plans, meetings."""
        return self.path / "derived"

    @property
    def accounts(self) -> Path:
        """The file with people who may sign in, their sessions and the audit log; made for the first person."""
        return self.path / "server" / "accounts.sqlite"

    @property
    def invented(self) -> bool:
        """Whether the records are those of an invented world."""
        return self.kind == "invented"

    def check(self) -> list[str]:
        """List the faults of the folder, each with its remedy; empty if there is none."""
        problems = [
            f"The folder {self.path / part} is missing. Make it again: mkdir '{self.path / part}'"
            for part in _PARTS
            if not (self.path / part).is_dir()
        ]
        if os.name != "nt" and self.path.stat().st_mode & 0o077:
            problems.append(f"Others on this machine can enter {self.path}. Close it: chmod 700 '{self.path}'")
        return problems + [
            f"{path} was left by a command that was interrupted. When none is running, remove it: rm -r '{path}'"
            for folder, pattern in (
                (self.path, ".*.part"),
                (self.releases, ".*.part"),
                (self.derived, ".*.part"),
                (self.derived, ".tmp-*"),
                (self.derived, "*/.tmp-*"),
            )
            for path in sorted(folder.glob(pattern))
        ]

    def _toml(self) -> str:
        return (
            "# Made by `tact init`. Never change the kind, nor start_month after a release. The id names the keys.\n"
            f"format = {_FORMAT}\n"
            f'id = "{self.id}"\n'
            f'kind = "{self.kind}"\n'
            f'created = "{self.created}"\n'
            f"start_month = {self.start_month}\n" + ("demo = true\n" if self.demo else "")
        )


def _unfinished(entry: Path) -> bool:
    """Return whether an interrupted `create` left this entry."""
    if entry.name.startswith(f".{_TOML}."):
        return True
    return entry.name in _PARTS and entry.is_dir() and not any(entry.iterdir())


def _check_month(month: object) -> int:
    if not isinstance(month, int) or isinstance(month, bool) or not 1 <= month <= 12:
        raise WorkspaceError(Message("start_month is {month!r}; allowed are the months 1 to 12", month=month))
    return month


def _check_id(text: object) -> str:
    # The id becomes part of a path and of a keyring entry, so nothing but a UUID may pass.
    try:
        return str(uuid.UUID(str(text)))
    except ValueError:
        raise WorkspaceError(
            Message("id is {text!r}; it must be the UUID that was made with the workspace", text=text)
        ) from None


def _damaged(path: Path, why: str) -> WorkspaceError:
    return WorkspaceError(
        Message("{file} was changed: {why}. Restore it from a backup with `tact restore`.", file=path / _TOML, why=why)
    )
