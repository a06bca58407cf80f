"""Kill commands of the product at random moments, and check after each kill that nothing is lost and nothing is half.

    python -m scripts.random_kills --number 1000 --seed 1

A small workspace lives through a random sequence of imports, undos, releases, publications, plans, people, their log,
meetings, backups, restores, forgotten children and partners who leave. Each command runs in a process of its own that
gets a real SIGKILL: at a random step (an opened or renamed file, a statement of SQL, some work of SQLite), some
milliseconds after one, or at a random time. Then `tact doctor` runs (which may be killed too) with the remedies that it
names, and what is there must be what was there before the command, or what a model says of the whole command.

Prints JSON; ends with 1 if anything was found. Ctrl+C stops it and prints what was found so far. POSIX only.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from dashboard.commands import second
from dashboard.commands.running import COMMANDS, run
from data.accounts import database, people
from data.accounts.database import Accounts
from data.accounts.log import shorten_log, verify_log
from data.accounts.meetings import Decision, Item, add_decision, create_meeting, list_meetings
from data.accounts.proof import make_code
from data.errors import TactError
from data.release import Release, current_name, names
from data.release.signed_list import Publisher
from data.restricted import forgetting, intake, keys, publication
from data.restricted.governance import INVENTED, ledger
from data.restricted.governance import read as read_governance
from data.restricted.vault import forget_log, open_vault, removal, sqlcipher
from data.tables.spec import TIERS
from data.workspace import Workspace
from data.workspace.hash_chain import read_chain
from risk.planning.saved import list_all_saved_plans, save_plan
from tests.helpers.plans import saved

PASSPHRASE = "four quiet brown horses"
OPERATIONS = (
    "import", "undo", "release", "publish", "plan", "invite", "accept", "revoke", "meeting", "shorten", "backup",
    "restore", "restore elsewhere", "forget", "withdraw",
)  # fmt: skip
WEIGHTS = (5, 3, 2, 2, 2, 2, 2, 2, 2, 1, 3, 3, 1, 2, 1)
ROUND = 40  # commands on one copy of the workspace
DOCTOR_KILLED = 0.15  # of the times
PARTNERS = ("Invented Organisation A", "Invented Organisation B", "Invented Organisation C")
MUNICIPALITIES = ("Tiranë", "Durrës", "Fier", "Elbasan", "Korçë")
POLICY = """
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


# -- the killed process ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """When a process is killed: at a step (0: at none), and then after some seconds more; None: never."""

    step: int
    delay: float


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (None: killed), the number of its steps, its seconds and what it printed."""

    code: int | None
    steps: int
    seconds: float
    out: str


def run_child(world: Path, action: Callable[[], int], moment: Moment | None) -> Ended:
    """Run an action in a process of its own, and kill it at a moment."""
    out, (reading, writing) = Path(tempfile.gettempdir(), f"killed-{os.getpid()}.txt"), os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            os.close(reading)
            with out.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
            _Killer(world, moment, writing).begin()
            try:
                code = action()
            except (TactError, OSError) as error:
                code = 2
                print(error)
            sys.stdout.flush()
        os._exit(code)
    os.close(writing)
    steps = 0
    while part := os.read(reading, 2**16):
        steps += len(part)
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    text = out.read_text(encoding="utf-8", errors="replace")
    out.unlink()
    return Ended(None if killed else os.waitstatus_to_exitcode(status), steps, time.monotonic() - began, text)


class _Killer:
    """Tells the parent of each step of this process, and kills it at its moment."""

    def __init__(self, world: Path, moment: Moment | None, writing: int) -> None:
        self._inside, self._moment, self._writing = str(world), moment or Moment(0, 0.0), writing
        self._steps, self._due = 0, threading.Event()

    def begin(self) -> None:
        """Count steps from now on."""
        sys.setswitchinterval(1e-4)
        if self._moment.delay:
            threading.Thread(target=self._kill_later, daemon=True).start()
            if not self._moment.step:
                self._due.set()
        for name in ("connect", "connect_with_passphrase"):
            opened = getattr(sqlcipher, name)
            setattr(sqlcipher, name, lambda *a, opened=opened, **k: self.watch(opened(*a, **k)))
        database.sqlite3 = _Watched(self)  # type: ignore[assignment]
        sys.addaudithook(self._hear)

    def watch(self, connection: Any) -> Any:  # noqa: ANN401 (sqlite3's or sqlcipher3's)
        """Count the statements of a connection, and its work."""
        connection.set_trace_callback(self._step)
        connection.set_progress_handler(self._step, 2_000)
        return connection

    def _kill_later(self) -> None:
        self._due.wait()
        time.sleep(self._moment.delay)
        os.kill(os.getpid(), signal.SIGKILL)

    def _step(self, *_: object) -> None:
        self._steps += 1
        os.write(self._writing, b".")
        if self._steps == self._moment.step:
            if not self._moment.delay:
                os.kill(os.getpid(), signal.SIGKILL)
            self._due.set()

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event.partition(".")[0] in ("open", "os", "shutil") and any(self._inside in str(a) for a in arguments):
            self._step()


class _Watched:
    """The module sqlite3, whose connections are watched."""

    def __init__(self, killer: _Killer) -> None:
        self._killer = killer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (a module)
        return getattr(sqlite3, name)

    def connect(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 (as sqlite3 has it)
        return self._killer.watch(sqlite3.connect(*arguments, **more))


# -- the world ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """The folders of one workspace, its keys, its server and its backups."""

    path: Path

    @property
    def workspace(self) -> Workspace:
        """The workspace, opened."""
        return Workspace.open(self.path / "w")

    def enter(self) -> None:
        """Let this process use the keys of this world."""
        os.environ["XDG_CONFIG_HOME"] = str(self.path / "config")

    def tact(self, *words: str | Path, moment: Moment | None = None, folder: str = "w") -> Ended:
        """Run a command in a process of its own, and kill it at a moment."""
        return run_child(self.path, lambda: run_here(self.path / folder, *words), moment)


def run_here(folder: Path, *words: str | Path) -> int:
    """Run a command in this process and return its exit code."""
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
    """Write partner files: three of each partner, and one that corrects the first of them."""
    folder.mkdir()
    written = []
    for number in range(12):
        base, partner = (number, number % 3) if number < 9 else (number - 9, number % 3)
        path = folder / f"{number}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = [_make_row(i, PARTNERS[partner], corrected=number >= 9) for i in range(24 * base, 24 * base + 24)]
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        written.append(path)
    return written


def _make_row(i: int, partner: str, *, corrected: bool) -> dict[str, str]:
    return {
        "date": f"2008-03-{1 + i % 28:02d}",
        "municipality": MUNICIPALITIES[i % 5],
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
    """The world that each round begins with, and what each partner file brings: its records, by child."""

    world: World
    files: tuple[Path, ...]
    brought: tuple[dict[str, dict[str, str]], ...]
    children: tuple[dict[str, str], ...]


def build_base(folder: Path) -> Base:
    """Build the world, and learn what each file brings to an empty vault with the same keys."""
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
        (world.path / "w" / "policy.toml").write_text(POLICY, encoding="utf-8")
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
                rows = _read_records(vault)
            brought.append({identity: content for identity, content, _ in rows})
            children.append({identity: child for identity, _, child in rows})
            shutil.rmtree(scratch)
        for words in (("import", *files[:2]), ("release",), ("publish", "--to", world.path / "server")):
            require(world.path / "w", *words)
        require(world.path / "w", "people", "invite", "First Person", "--role", "manager")
        require(world.path / "w", "backup", world.path / "backups" / "0.backup")
        require(world.path / "w", "doctor")
    return Base(world, tuple(files), tuple(brought), tuple(children))


def _read_records(vault: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 (a vault)
    return list(vault._connection.execute("SELECT hex(identity), hex(content), hex(child) FROM encounter"))  # noqa: SLF001


# -- what is there --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What a world holds. Each part is whole: `look` raises where it is not."""

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
    """Read all of a world, and check each part of it. Raises AssertionError."""
    workspace = world.workspace
    assert keys.check(workspace.id) == [], "keys"
    with open_vault(workspace) as vault:
        records = frozenset((identity, content) for identity, content, _ in _read_records(vault))
        imports = tuple(entry["number"] for entry in vault.list_imports())
        assert len(records) == vault.count("encounter"), "a record is there twice"
        assert vault.check() == [], "vault"
        assert vault.staged_publication() is None, "a release is still staged"
        inside = removal.read_log(vault._connection)  # noqa: SLF001
        blocks = {block.release for block in vault.published_blocks().values()}
    assert inside == forget_log.read(forget_log.log_path(workspace.vault)), "the two forget logs differ"
    listed, current = names(workspace.releases), current_name(workspace.releases)
    assert current in listed, "no current release"
    assert blocks <= set(listed), "the vault names a release that is not there"
    for name in listed:
        for tier in TIERS:
            assert Release.open(workspace.releases, tier, name).check() == [], f"release {name}"
    with (workspace.path / ledger.APPROVALS).open(encoding="utf-8", newline="") as file:
        approved = tuple(row["release"] for row in csv.DictReader(file))
    assert sorted(approved) == sorted(listed), f"approved are {approved}, released {listed}"
    opened = Accounts.open(workspace.accounts)
    log = verify_log(opened)
    assert log.problem == "", log.problem
    plans = list_all_saved_plans(workspace.derived, "partner")
    assert not plans.damaged, plans.damaged
    chain = read_chain(workspace.derived / "ledger-partner.jsonl")
    assert chain.problems == (), chain.problems
    return Seen(
        records=records,
        imports=imports,
        forgotten=frozenset(inside),
        releases={name: _hash_tree(workspace.releases / name) for name in listed},
        approved=approved,
        current=current,
        published=_look_at_server(world),
        # An invitation of a wrong clock may have ended.
        people={person.name: person.state.replace("expired", "invited") for person in people.list_people(opened)},
        meetings={
            meeting.title: (len(meeting.items), sum(len(item.decisions) for item in meeting.items))
            for meeting in list_meetings(opened)
        },
        log=log.rows,
        plans=frozenset(plan.name for plan in plans.plans),
        ledger=frozenset(str(entry.content.get("plan")) for entry in chain.entries),
        backups=frozenset(path.name for path in (world.path / "backups").glob("[!.]*")),
        keys=_hash_tree(world.path / "config"),
    )


def _look_at_server(world: World) -> tuple[int, str] | None:
    """Return number and release of what a server with this folder shows; it always shows something."""
    if not (world.path / "server").exists():
        return None
    secret = keys.load_signing(world.workspace.id)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(secret.reveal()).public_key().public_bytes_raw().hex()
    whole = Publisher(world.path / "server", public, "public").find_whole()
    assert whole is not None, "the server has nothing whole to show"
    shown = Release.open(world.path / "server" / "releases", "public", whole.current)
    assert shown.check() == [], "the server's release"
    return whole.number, whole.current


def _hash_tree(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def find_left(world: World) -> list[str]:
    """List files that no command may leave behind after the next one: partial ones, journals, notes of a writer."""
    patterns = ("w/**/.*.part", "w/**/.*.gone", "w/**/*-journal", "w/*.writer", "backups/.*", "config/**/.*.part")
    patterns += ("w/derived/**/.tmp-*", "server/**/.*.part")
    return sorted(str(path.relative_to(world.path)) for pattern in patterns for path in world.path.glob(pattern))


# -- what should be there -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """What was done: imports (number, file), the children who were forgotten, the partners who left (last import)."""

    imports: tuple[tuple[int, int], ...]
    forgotten: frozenset[str] = frozenset()
    left: tuple[tuple[int, int], ...] = ()
    backups: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def list_records(self, base: Base) -> frozenset[Record]:
        """Return the records that must be in the vault."""
        found: dict[str, str] = {}
        for number, file in sorted(self.imports):
            if any(file % 3 == partner and number <= last for partner, last in self.left):
                continue
            children = base.children[file]
            found |= {i: content for i, content in base.brought[file].items() if children[i] not in self.forgotten}
        return frozenset(found.items())


class Lost(Exception):
    """What was found after a kill."""


@dataclass
class Round:
    """One copy of the base world that commands are killed in."""

    base: Base
    world: World
    chance: random.Random
    model: Model
    seen: Seen
    number: int = 0

    def kill_one(self, operation: str, whole: dict[str, tuple[int, float]]) -> str:
        """Run one operation, kill it and check. Return "killed", "ended" or "passed over"; raises Lost."""
        self.number += 1
        prepared = getattr(self, f"_{operation.replace(' ', '_')}")()
        if prepared is None:
            return "passed over"
        action, judge = prepared
        moment = self._draw_moment(whole.get(operation))
        ended = run_child(self.world.path, action, moment)
        if ended.code is not None:
            whole[operation] = (ended.steps, ended.seconds)
            if ended.code != 0:
                raise Lost(f"the command itself failed with {ended.code}: {ended.out[-1500:]}")
        killed = ended.code is None
        self._repair(whole)
        try:
            now = look(self.world)
            judge(now, killed)
        except (AssertionError, TactError) as error:
            raise Lost(f"{moment} of {whole.get(operation)}: {type(error).__name__} {error}") from error
        # What goes to another disk or a server is cleared away by the next one that comes there.
        later = {"backup": "backups/", "publish": "server/"}
        later = {place for name, place in later.items() if killed or name != operation}
        if left := [path for path in find_left(self.world) if not path.startswith(tuple(later))]:
            raise Lost(f"{moment} of {whole.get(operation)}: left behind: {left}")
        self.seen = now
        return "killed" if killed else "ended"

    def _draw_moment(self, whole: tuple[int, float] | None) -> Moment | None:
        if whole is None:
            return None
        steps, seconds = whole
        how = self.chance.random()
        if how < 0.2:
            return Moment(0, self.chance.uniform(1e-3, seconds))
        last = steps if how < 0.6 else min(steps, 40)
        step = steps - self.chance.randrange(last)
        return Moment(step, self.chance.choice([0.0, 0.0, self.chance.uniform(1e-4, 3e-3)]))

    def _repair(self, whole: dict[str, tuple[int, float]]) -> None:
        """Run `tact doctor` and the remedies that it names, until it finds nothing."""
        if "doctor" in whole and self.chance.random() < DOCTOR_KILLED:
            self.world.tact("doctor", moment=self._draw_moment(whole["doctor"]))
        for _ in range(4):
            ended = self.world.tact("doctor", "--json")
            whole["doctor"] = (ended.steps, ended.seconds)
            text = ended.out[ended.out.find("{") :]
            if ended.code not in (0, 7) or "{" not in ended.out:
                raise Lost(f"doctor ended with {ended.code}: {ended.out[-1500:]}")
            problems = json.loads(text[: text.rfind("}") + 1])["problems"]
            if not problems:
                return
            for problem in problems:
                self._follow(problem)
        raise Lost(f"doctor does not come to an end: {problems}")

    def _follow(self, problem: str) -> None:
        """Do what a problem says: remove what was left; rename the vault of before back, or restore again."""
        if found := re.search(r"rm -r '([^']+)'", problem):
            subprocess.run(shlex.split(found[0]), check=True)
        elif self.restoring and (found := re.search(r"(vault\.before-\w+), from before", problem)):
            if self.chance.random() < 0.5:
                (self.world.path / "w" / found[1]).rename(self.world.path / "w" / "vault")
                return
            ended = self.world.tact("restore", self.restoring)
            if ended.code != 0:
                raise Lost(f"the remedy failed: {problem} {ended.out[-1500:]}")
        else:
            raise Lost(f"doctor names a problem: {problem}")

    restoring: Path | None = None

    # -- judging --

    def _expect(self, now: Seen, *facets: str) -> None:
        """Check that all is as before, but for some parts."""
        for name, before in vars(self.seen).items():
            if name not in facets:
                assert getattr(now, name) == before, f"{name} changed"

    # -- operations: each returns what to run, and how to judge what is there then --

    def _command(self, *words: str | Path) -> Callable[[], int]:
        return lambda: run_here(self.world.path / "w", *words)

    def _import(self) -> Any:  # noqa: ANN401
        file = self.chance.randrange(len(self.base.files))

        def judge(now: Seen, killed: bool) -> None:
            new = [number for number in now.imports if number not in self.seen.imports]
            assert len(new) <= 1
            assert not new or new[0] > max(self.seen.imports, default=0), "a number was given twice"
            after = replace(self.model, imports=(*self.model.imports, *((number, file) for number in new)))
            self._expect(now, "records", "imports")
            assert now.records == after.list_records(self.base), "a part of a file"
            assert new or killed or now.records == self.seen.records
            self.model = after

        return self._command("import", self.base.files[file]), judge

    def _undo(self) -> Any:  # noqa: ANN401
        if not self.seen.imports:
            return None
        number = self.chance.choice(self.seen.imports)

        def judge(now: Seen, killed: bool) -> None:
            gone = number not in now.imports
            assert gone or killed
            after = replace(self.model, imports=tuple(entry for entry in self.model.imports if entry[0] != number))
            self._expect(now, "records", "imports")
            assert set(self.seen.imports) - set(now.imports) == ({number} if gone else set())
            self.model = after if gone else self.model
            assert now.records == self.model.list_records(self.base), "an undo is half"

        return self._command("undo", str(number), "--yes"), judge

    def _release(self) -> Any:  # noqa: ANN401
        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "releases", "approved", "current")
            new = set(now.releases) - set(self.seen.releases)
            assert len(new) == 1 or (killed and not new)
            assert {n: h for n, h in now.releases.items() if n not in new} == self.seen.releases, "an older release"
            assert now.current == (new.pop() if new else self.seen.current), "the current release"
            if not killed:
                left = [p.name for p in self.world.workspace.releases.glob(".tmp-*")]
                assert not left, left

        return self._command("release"), judge

    def _publish(self) -> Any:  # noqa: ANN401
        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "published", "keys")
            assert now.published is not None
            assert self.seen.published is not None
            assert now.published[0] > self.seen.published[0] or (killed and now.published == self.seen.published)
            assert now.published[1] in (self.seen.published[1], self.seen.current)

        return self._command("publish", "--to", self.world.path / "server"), judge

    def _plan(self) -> Any:  # noqa: ANN401
        title, workspace = f"Plan {self.number}", self.world.workspace

        def save() -> int:
            release = Release.open(workspace.releases, "partner", derived=workspace.derived)
            save_plan(workspace.derived, release, replace(saved(release.name).summary, title=title))
            return 0

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "plans", "ledger")
            new = now.plans - self.seen.plans
            assert len(new) == 1 or (killed and not new)
            assert now.ledger - self.seen.ledger == new, "a plan without its entry in the ledger"

        return save, judge

    def _invite(self) -> Any:  # noqa: ANN401
        name = self.chance.choice(["First Person", "Second Person", f"Person {self.number}"])

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "people", "log")
            done = now.log == self.seen.log + 1
            assert done or (killed and now.log == self.seen.log)
            assert now.people == self.seen.people | ({name: "invited"} if done else {})

        return self._command("people", "invite", name, "--role", "manager"), judge

    def _accept(self) -> Any:  # noqa: ANN401
        name, file = f"Person {self.number}", self.world.workspace.accounts

        def accept() -> int:
            accounts = Accounts.open(file)
            secret = people.invite(accounts, name, "manager")
            renewed = people.renew_factor(accounts, secret)
            code = make_code(renewed[1], time.time()) if renewed else ""
            return 0 if people.accept(accounts, secret, PASSPHRASE, code) else 2

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "people", "log")
            states = {0: None, 1: "invited", 2: "active"}
            rows = now.log - self.seen.log
            assert now.people.get(name) == states[rows], "a person without their row in the log"
            assert rows == 2 or killed

        return accept, judge

    def _revoke(self) -> Any:  # noqa: ANN401
        name = self.chance.choice(sorted(self.seen.people))

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "people", "log")
            done = now.log == self.seen.log + 1
            assert done or (killed and now.log == self.seen.log)
            assert now.people == self.seen.people | ({name: "revoked"} if done else {})

        return self._command("people", "revoke", name), judge

    def _meeting(self) -> Any:  # noqa: ANN401
        title, file = f"Meeting {self.number}", self.world.workspace.accounts

        def decide() -> int:
            accounts = Accounts.open(file)
            item = Item("map?area=AL-11", "2009-05-001", "A view")
            key = create_meeting(accounts, title, "2009-06-01", "First Person", item)
            (meeting,) = (meeting for meeting in list_meetings(accounts) if meeting.key == key)
            decision = Decision("Two more days a week", "the municipality", "2009-09-01", "AL-11")
            add_decision(accounts, key, meeting.items[0].id, decision, "First Person")
            return 0

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "meetings", "log")
            rows = now.log - self.seen.log
            states = {0: None, 2: (1, 0), 3: (1, 1)}
            assert rows in states, "a meeting without a view"
            assert now.meetings.get(title) == states[rows], "a meeting without its rows in the log"
            assert {other: size for other, size in now.meetings.items() if other != title} == self.seen.meetings
            assert rows == 3 or killed

        return decide, judge

    def _shorten(self) -> Any:  # noqa: ANN401
        rows, file = self.seen.log, self.world.workspace.accounts

        def shorten() -> int:
            shorten_log(Accounts.open(file), date.max, rows - 1)  # the last row stays
            return 0

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "log")
            assert now.log == min(rows, 2) or (killed and now.log == rows), "the audit log is half shortened"

        return shorten, judge

    def _backup(self) -> Any:  # noqa: ANN401
        name = f"{self.number}.backup"

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now, "backups")
            done = name in now.backups
            assert done or killed
            if done:
                self.model = replace(self.model, backups={**self.model.backups, name: self.model.imports})

        return self._command("backup", self.world.path / "backups" / name), judge

    def _restore(self) -> Any:  # noqa: ANN401
        if not self.model.backups:
            return None
        name = self.chance.choice(sorted(self.model.backups))
        file = self.world.path / "backups" / name
        self.restoring = file

        def judge(now: Seen, killed: bool) -> None:
            self.restoring = None
            after = replace(self.model, imports=self.model.backups[name])
            self._expect(now, "records", "imports", "plans", "ledger")
            assert now.plans >= self.seen.plans
            replaced = sorted(self.world.path.glob("w/vault.before-*"))
            assert len(replaced) <= 2, "vaults of before"
            if now.records == after.list_records(self.base) and (replaced or not killed):
                self.model = after
            else:
                assert killed
                assert now.records == self.seen.records, "neither the vault before nor that of the backup"
                assert now.imports == self.seen.imports
            for folder in replaced:
                shutil.rmtree(folder)

        return self._command("restore", file, "--replace"), judge

    def _restore_elsewhere(self) -> Any:  # noqa: ANN401
        if not self.model.backups:
            return None
        name = self.chance.choice(sorted(self.model.backups))
        elsewhere = World(self.world.path / "elsewhere")
        (elsewhere.path / "backups").mkdir(parents=True)
        words = ("restore", self.world.path / "backups" / name)

        def restore() -> int:
            elsewhere.enter()
            return run_here(elsewhere.path / "w", *words)

        def judge(now: Seen, killed: bool) -> None:
            self._expect(now)
            elsewhere.enter()
            try:
                if killed:
                    again = elsewhere.tact(*words)
                    if again.code != 0:
                        again = elsewhere.tact(*words, "--replace")
                    assert again.code == 0, f"restored again: {again.code} {again.out[-800:]}"
                healthy = elsewhere.tact("doctor", "--json")
                for path in re.findall(r"rm -r '([^']+)'", healthy.out):
                    subprocess.run(["rm", "-r", path], check=True)
                healthy = elsewhere.tact("doctor", "--json")
                # A wrong clock may have written the backup on a day long past, or to come.
                assert healthy.code == 0 or "The last backup is of" in healthy.out, healthy.out[-800:]
                with open_vault(elsewhere.workspace) as vault:
                    found = frozenset((identity, content) for identity, content, _ in _read_records(vault))
                # It is as the backup was: without what was forgotten since.
                assert found >= replace(self.model, imports=self.model.backups[name]).list_records(self.base)
                for release in names(elsewhere.workspace.releases):
                    assert Release.open(elsewhere.workspace.releases, "partner", release).check() == []
                    assert _hash_tree(elsewhere.workspace.releases / release) == self.seen.releases[release]
            finally:
                self.world.enter()
                shutil.rmtree(elsewhere.path)

        return restore, judge

    def _forget(self) -> Any:  # noqa: ANN401
        child = self.chance.randrange(9 * 12)
        file = child // 12
        request = self.world.path / "child.txt"
        request.write_text(f"K-{child}\n", encoding="utf-8")
        number = f"{file}"
        hashes = {
            self.base.children[file][identity]
            for identity, content in self.base.brought[file].items()
            if self._is_child(file, identity, child)
        }

        def judge(now: Seen, killed: bool) -> None:
            after = replace(self.model, forgotten=self.model.forgotten | hashes)
            noted = any(entry not in self.seen.forgotten for entry in now.forgotten)
            self._expect(now, "records", "forgotten")
            assert noted or killed or hashes <= self.model.forgotten, f"not forgotten {number}"
            self.model = after if noted else self.model
            assert now.records == self.model.list_records(self.base), "a child is half forgotten"

        words = ("forget", "--partner", PARTNERS[file % 3], "--from", request, "--even-if-unknown")
        return self._command(*words), judge

    def _is_child(self, file: int, identity: str, child: int) -> bool:
        """Return whether a record of a file is of a child: two records in a row are of one."""
        secrets = keys.load(self.world.workspace.id)
        wanted = forgetting.hash_child(secrets, intake.child_names(PARTNERS[file % 3], f"K-{child}", ""))
        return self.base.children[file][identity].lower() in wanted

    def _withdraw(self) -> Any:  # noqa: ANN401
        there = [partner for partner in range(len(PARTNERS)) if not self._has_none(partner)]
        if not there:
            return None
        partner = self.chance.choice(there)

        def judge(now: Seen, killed: bool) -> None:
            new = [entry for entry in now.forgotten - self.seen.forgotten if entry.kind == "partner"]
            self._expect(now, "records", "forgotten", "imports")
            assert len(new) == 1 or (killed and not new)
            if new:
                self.model = replace(self.model, left=(*self.model.left, (partner, int(new[0].until))))
            assert now.records == self.model.list_records(self.base), "a partner left by half"

        return self._command("withdraw", "--partner", PARTNERS[partner], "--yes"), judge

    def _has_none(self, partner: int) -> bool:
        return not any(
            self.base.brought[f].keys() & dict(self.seen.records).keys() for f in range(12) if f % 3 == partner
        )


# -- the run --------------------------------------------------------------------------------------------


@dataclass
class Summary:
    """Kills of each operation, commands that ended before their moment, and what was found."""

    kills: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, object]] = field(default_factory=list)


def run_kills(
    number: int, seed: int, folder: Path, keep: Path | None = None, operations: tuple[str, ...] = OPERATIONS
) -> Iterator[Summary]:
    """Kill commands until `number` were killed; yield the summary after each command."""
    base, summary, whole = build_base(folder), Summary(), dict[str, tuple[int, float]]()
    weights = [weight for name, weight in zip(OPERATIONS, WEIGHTS, strict=True) if name in operations]
    round_number = 0
    while summary.kills.total() < number:
        round_number += 1
        chance = random.Random(f"{seed} {round_number}")
        world = World(Path(shutil.copytree(base.world.path, folder / f"round{round_number}")))
        world.enter()
        seen = look(world)
        game = Round(base, world, chance, Model(((1, 0), (2, 1)), backups={"0.backup": ((1, 0), (2, 1))}), seen)
        if seen.records != game.model.list_records(base):
            raise SystemExit("The model does not fit the world that it begins with.")
        for _ in range(ROUND):
            (operation,) = chance.choices(operations, weights)
            try:
                outcome = game.kill_one(operation, whole)
            except Lost as lost:
                summary.kills[operation] += 1
                kept = shutil.copytree(world.path, keep / f"{seed}-{round_number}-{game.number}") if keep else None
                about = {"seed": seed, "round": round_number, "command": game.number, "kept": str(kept or "")}
                summary.failures.append({"operation": operation, "found": str(lost), **about})
                break
            finally:
                yield summary
            if outcome == "killed":
                summary.kills[operation] += 1
            elif outcome == "ended":
                summary.ended[operation] += 1
            if summary.kills.total() >= number:
                break
        shutil.rmtree(world.path)


def main() -> int:
    """Kill, say how it goes, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=1000, help="of kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=OPERATIONS, help="an operation; repeatable")
    parser.add_argument("--keep", type=Path, help="a folder for a copy of each world in which something was found")
    asked = parser.parse_args()
    summary, began = Summary(), time.monotonic()
    os.fsync = lambda _: None  # nobody cuts the power
    os.environ |= {"TACT_BACKUP_PASSPHRASE": PASSPHRASE, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        shown = 0
        for summary in run_kills(asked.number, asked.seed, Path(folder), asked.keep, tuple(asked.only or OPERATIONS)):
            if summary.kills.total() // 25 > shown:
                shown = summary.kills.total() // 25
                seconds = time.monotonic() - began
                print(f"{summary.kills.total()} kills, {len(summary.failures)} found, {seconds:.0f} s", file=sys.stderr)
    answer = {
        "seed": asked.seed,
        "kills": summary.kills.total(),
        "killed": dict(summary.kills),
        "ended_before": dict(summary.ended),
        "seconds": round(time.monotonic() - began),
        "failures": summary.failures,
    }
    print(json.dumps(answer, indent=1))
    return int(bool(summary.failures))


if __name__ == "__main__":
    sys.exit(main())
