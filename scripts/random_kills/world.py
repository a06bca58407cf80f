"""The workspace in which commands are killed: its folders and keys, the records of each file, and its content."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboard.commands import second
from dashboard.commands.running import COMMANDS, run
from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.log import verify_log
from data.accounts.meetings import list_meetings
from data.release import Release, current_name, names
from data.release.signed_list import Publisher
from data.restricted import keys, publication
from data.restricted.governance import INVENTED, logs
from data.restricted.governance import read as read_governance
from data.restricted.vault import forget_log, open_vault, removal
from data.tables.spec import TIERS
from data.workspace import Workspace
from data.workspace.hash_chain import read_chain
from risk.planning.saved import list_all_saved_plans
from scripts.random_kills.killing import Ended, Moment, run_child

PASSPHRASE = "four quiet brown horses"
PARTNERS = ("Invented Organisation A", "Invented Organisation B", "Invented Organisation C")
_MUNICIPALITIES = ("Tiranë", "Durrës", "Fier", "Elbasan", "Korçë")
_POLICY = """
[[partner]]
measures = ["children", "encounters"]
levels = ["region"]
periods = ["year", "whole"]

[[public]]
measures = ["children"]
levels = ["region"]
periods = ["whole"]
"""
Record = tuple[str, str]  # identity and content, in hexadecimal


@dataclass(frozen=True)
class World:
    """The folders of one workspace, its keys, its server and its backups."""

    path: Path

    @property
    def workspace(self) -> Workspace:
        """The workspace, opened."""
        return Workspace.open(self.path / "w")

    def enter(self) -> None:
        """Make this process use the keys of this world."""
        os.environ["XDG_CONFIG_HOME"] = str(self.path / "config")

    def tact(self, *words: str | Path, moment: Moment | None = None, folder: str = "w") -> Ended:
        """Run a command in a separate process, kill it at a moment (None: never), and return how it ended.

        folder : the name of the workspace's folder in this world.
        """
        return run_child(self.path, lambda: run_here(self.path / folder, *words), moment)


def run_here(folder: Path, *words: str | Path) -> int:
    """Run a command in this process and return its exit code; any other error is printed as TRACEBACK and gives 1."""
    sys.argv = ["tact", "--workspace", str(folder), *map(str, words)]
    second.ask_hidden = lambda _: PASSPHRASE
    try:
        return run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:  # noqa: BLE001 (a traceback is what is looked for)
        print(f"TRACEBACK {error!r}", file=sys.stderr)
        return 1


def write_files(folder: Path) -> list[Path]:
    """Write the partner files and return their paths: three for each partner, and a fourth that corrects the first."""
    folder.mkdir()
    paths = []
    for number in range(12):
        base, partner = (number, number % 3) if number < 9 else (number - 9, number % 3)
        path = folder / f"{number}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = [_make_row(i, PARTNERS[partner], corrected=number >= 9) for i in range(24 * base, 24 * base + 24)]
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        paths.append(path)
    return paths


def _make_row(i: int, partner: str, *, corrected: bool) -> dict[str, str]:
    return {
        "date": f"2008-03-{1 + i % 28:02d}",
        "municipality": _MUNICIPALITIES[i % 5],
        "child_id": f"K-{i // 2}",
        "record_number": f"R-{i}",
        "stage": "identified",
        "pathway": "internal",
        "form": "labour" if corrected and i % 3 == 0 else "begging",
        "axis": "protection",
        "found": "reported" if i % 2 else "discovered",
        "partner": partner,
    }


@dataclass(frozen=True)
class Base:
    """The world with which each round begins, and the records that each partner file adds.

    brought : for each file, the content of each record by its identity. children : for each file, the child (its hash)
    of each record by its identity. All are in hexadecimal.
    """

    world: World
    files: tuple[Path, ...]
    brought: tuple[dict[str, dict[str, str]], ...]
    children: tuple[dict[str, str], ...]


def build_base(folder: Path) -> Base:
    """Build and return the base world, with the records that each file adds to an empty vault with the same keys.

    Raises SystemExit if a command fails.
    """
    for name in ("init", "import", "undo", "release", "publish", "plan", "people", "backup", "forget", "doctor"):
        import_module(f"dashboard.commands.{COMMANDS[name].split(':')[0]}")
    world = World(folder / "base")
    (world.path / "backups").mkdir(parents=True)
    world.enter()
    files = write_files(folder / "files")

    def require(workspace: Path, *words: str | Path) -> None:
        if run_here(workspace, *words):
            out.flush()
            raise SystemExit(f"The workspace could not be built: {(folder / 'building.txt').read_text()[-2000:]}")

    with (folder / "building.txt").open("w") as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        require(world.path / "w", "init")
        (world.path / "w" / "policy.toml").write_text(_POLICY, encoding="utf-8")
        governance = INVENTED.replace("invented = true", "").replace(
            f'"{PARTNERS[1]}"', f'"{PARTNERS[1]}", "{PARTNERS[2]}"'
        )
        (world.path / "w" / "governance.toml").write_text(governance, encoding="utf-8")
        with open_vault(world.workspace) as vault:
            (person, *_) = read_governance(world.workspace).approvers
            publication.appoint_second(world.workspace, vault, person, PASSPHRASE, None)
        brought, children = [], []
        for file in files:
            scratch = folder / "scratch"
            shutil.copytree(world.path / "w", scratch)
            require(scratch, "import", file)
            with open_vault(Workspace.open(scratch)) as vault:
                rows = read_records(vault)
            brought.append({identity: content for identity, content, _ in rows})
            children.append({identity: child for identity, _, child in rows})
            shutil.rmtree(scratch)
        for words in (("import", *files[:2]), ("release",), ("publish", "--to", world.path / "server")):
            require(world.path / "w", *words)
        require(world.path / "w", "people", "invite", "First Person", "--role", "manager")
        require(world.path / "w", "backup", world.path / "backups" / "0.backup")
        require(world.path / "w", "doctor")
    return Base(world, tuple(files), tuple(brought), tuple(children))


def read_records(vault: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 (a vault)
    """Return the identity, the content and the child (its hash) of each record, in hexadecimal."""
    return list(vault._connection.execute("SELECT hex(identity), hex(content), hex(child) FROM encounter"))  # noqa: SLF001


@dataclass(frozen=True)
class Seen:
    """The content of a world. Each part is complete; otherwise `look` raises an error."""

    records: frozenset[Record]
    imports: tuple[int, ...]
    forgotten: frozenset[forget_log.Entry]
    releases: dict[str, str]
    approved: tuple[str, ...]
    current: str | None
    published: tuple[int, str] | None
    people: dict[str, str]
    meetings: dict[str, tuple[int, int]]  # views and decisions of each
    log: int
    plans: frozenset[str]
    ledger: frozenset[str]
    backups: frozenset[str]
    keys: str


def look(world: World) -> Seen:
    """Read the content of a world and check each part. Raises AssertionError if a part is not as it must be."""
    workspace = world.workspace
    assert keys.check(workspace.key_id) == [], "keys"
    with open_vault(workspace) as vault:
        records = frozenset((identity, content) for identity, content, _ in read_records(vault))
        imports = tuple(entry["number"] for entry in vault.list_imports())
        assert len(records) == vault.count("encounter"), "a record is there twice"
        assert vault.check() == [], "vault"
        assert vault.staged_publication() is None, "a release is still staged"
        inside = removal.read_log(vault._connection)  # noqa: SLF001
        blocks = {block.release for block in vault.published_blocks().values()}
    beside = forget_log.read(forget_log.log_path(workspace.vault), keys.load(workspace.key_id).vault)
    assert inside == beside, "the two forget logs differ"
    listed, current = names(workspace.releases), current_name(workspace.releases)
    assert current in listed, "no current release"
    assert blocks <= set(listed), "the vault names a release that is not there"
    for name in listed:
        for tier in TIERS:
            assert Release.open(workspace.releases, tier, name).check() == [], f"release {name}"
    with (workspace.path / logs.APPROVALS).open(encoding="utf-8", newline="") as file:
        approved = tuple(row["release"] for row in csv.DictReader(file))
    assert sorted(approved) == sorted(listed), f"approved are {approved}, released {listed}"
    opened = Accounts.open(workspace.accounts)
    log = verify_log(opened)
    assert log.problem == "", log.problem
    plans = list_all_saved_plans([workspace.derived], "partner")
    assert not plans.damaged, plans.damaged
    chain = read_chain(workspace.derived / "ledger-partner.jsonl")
    assert chain.problems == (), chain.problems
    return Seen(
        records=records,
        imports=imports,
        forgotten=frozenset(inside),
        releases={name: hash_tree(workspace.releases / name) for name in listed},
        approved=approved,
        current=current,
        published=_look_at_server(world),
        # With a wrong clock, an invitation may have expired.
        people={person.name: person.state.replace("expired", "invited") for person in people.list_people(opened)},
        meetings={
            meeting.title: (len(meeting.items), sum(len(item.decisions) for item in meeting.items))
            for meeting in list_meetings(opened)
        },
        log=log.rows,
        plans=frozenset(plan.name for plan in plans.plans),
        ledger=frozenset(str(entry.content.get("plan")) for entry in chain.entries),
        backups=frozenset(path.name for path in (world.path / "backups").glob("[!.]*")),
        keys=hash_tree(world.path / "config"),
    )


def _look_at_server(world: World) -> tuple[int, str] | None:
    """Return the number and the release of the publication that the server shows; None if there is no server yet.

    Raises AssertionError if the publication or its release is not whole.
    """
    if not (world.path / "server").exists():
        return None
    secret = keys.load_signing(world.workspace.key_id)
    public = Ed25519PrivateKey.from_private_bytes(secret.reveal()).public_key().public_bytes_raw().hex()
    whole = Publisher(world.path / "server", public, "public").find_whole()
    assert whole is not None, "the server has nothing whole to show"
    release = Release.open(world.path / "server" / "releases", "public", whole.current)
    assert release.check() == [], "the server's release"
    return whole.number, whole.current


def hash_tree(folder: Path) -> str:
    """Return one hash (SHA-256) of the names and contents of all files in a folder and its subfolders."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def find_left(world: World) -> list[str]:
    """List the files that a killed command left and the next one should have removed: partial files, journals, locks.

    Paths are relative to the folder of the world.
    """
    patterns = ("w/**/.*.part", "w/**/.*.gone", "w/**/*-journal", "w/*.writer", "backups/.*", "config/**/.*.part")
    patterns += ("w/derived/**/.tmp-*", "server/**/.*.part")
    return sorted(str(path.relative_to(world.path)) for pattern in patterns for path in world.path.glob(pattern))
