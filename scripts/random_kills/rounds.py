"""Operations on a world: how each is killed and repaired, and what the world must contain afterwards."""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from data.accounts import people
from data.accounts.database import Accounts
from data.accounts.log import shorten_log
from data.accounts.meetings import Decision, Item, add_decision, create_meeting, list_meetings
from data.accounts.proof import make_code
from data.errors import TactError
from data.release import Release, names
from data.restricted import forgetting, intake, keys
from data.restricted.vault import open_vault
from risk.planning.saved import save_plan
from scripts.random_kills.killing import Moment, run_child
from scripts.random_kills.world import (
    PARTNERS,
    PASSPHRASE,
    Base,
    Record,
    Seen,
    World,
    find_left,
    hash_tree,
    look,
    read_records,
    run_here,
)
from tests.helpers.plans import saved

OPERATIONS = (
    "import", "undo", "release", "publish", "plan", "invite", "accept", "revoke", "meeting", "shorten", "backup",
    "restore", "restore elsewhere", "forget", "withdraw",
)  # fmt: skip
_DOCTOR_KILLED = 0.15  # of the times
_Judge = Callable[[Seen, bool], None]


@dataclass(frozen=True)
class Model:
    """The effects of the commands on the vault, from which the records that it must hold follow.

    imports : the number of each import, and the number of its file. forgotten : the hashes of forgotten children.
    left : partners who withdrew, each with the last import before that. backups : by file name, the imports that a
    backup holds.
    """

    imports: tuple[tuple[int, int], ...]
    forgotten: frozenset[str] = frozenset()
    left: tuple[tuple[int, int], ...] = ()
    backups: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def list_records(self, base: Base) -> frozenset[Record]:
        """Return the records that must be in the vault."""
        records: dict[str, str] = {}
        for number, file in sorted(self.imports):
            if any(file % 3 == partner and number <= last for partner, last in self.left):
                continue
            children = base.children[file]
            records |= {i: content for i, content in base.brought[file].items() if children[i] not in self.forgotten}
        return frozenset(records.items())


class Lost(Exception):
    """Something is lost or wrong after a kill; the message says what."""


@dataclass
class Round:
    """One copy of the base world, in which commands are killed."""

    base: Base
    world: World
    chance: random.Random
    model: Model
    seen: Seen
    number: int = 0

    def kill_one(self, operation: str, whole: dict[str, tuple[int, float]]) -> str:
        """Run one operation, kill it and check the world. Raises Lost if something is lost or wrong.

        Returns "killed", "ended" if it ended before the kill, or "passed over" if it is not possible now. whole : for
        each operation, the steps and seconds of its last complete run, which this method updates.
        """
        self.number += 1
        prepared = self.prepare(operation)
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
        # The next backup or publication removes what a killed one left on the other disk or the server.
        later = {"backup": "backups/", "publish": "server/"}
        later = {place for name, place in later.items() if killed or name != operation}
        if leftovers := [path for path in find_left(self.world) if not path.startswith(tuple(later))]:
            raise Lost(f"{moment} of {whole.get(operation)}: left behind: {leftovers}")
        self.seen = now
        return "killed" if killed else "ended"

    def prepare(self, operation: str) -> tuple[Callable[[], int], _Judge] | None:
        """Return the action of an operation, and a function that judges its result; None if it is not possible now."""
        prepared: tuple[Callable[[], int], _Judge] | None = getattr(self, f"_{operation.replace(' ', '_')}")()
        return prepared

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
        """Run `tact doctor` and the remedies that it names until it finds no problem. Raises Lost if this fails."""
        if "doctor" in whole and self.chance.random() < _DOCTOR_KILLED:
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
        """Carry out the remedy of a problem: remove leftovers, rename the earlier vault back, or restore again.

        Raises Lost if the problem has no such remedy, or if restoring fails.
        """
        if match := re.search(r"rm -r '([^']+)'", problem):
            subprocess.run(shlex.split(match[0]), check=True)
        elif self.restoring and (match := re.search(r"(vault\.before-\w+), from before", problem)):
            if self.chance.random() < 0.5:
                (self.world.path / "w" / match[1]).rename(self.world.path / "w" / "vault")
                return
            ended = self.world.tact("restore", self.restoring)
            if ended.code != 0:
                raise Lost(f"the remedy failed: {problem} {ended.out[-1500:]}")
        else:
            raise Lost(f"doctor names a problem: {problem}")

    restoring: Path | None = None

    # -- judging --

    def expect(self, now: Seen, *facets: str) -> None:
        """Raise AssertionError if anything has changed except the named parts of Seen."""
        for name, before in vars(self.seen).items():
            if name not in facets:
                assert getattr(now, name) == before, f"{name} changed"

    # -- operations: each returns its action, and a function that judges the result --

    def _command(self, *words: str | Path) -> Callable[[], int]:
        return lambda: run_here(self.world.path / "w", *words)

    def _import(self) -> Any:  # noqa: ANN401
        file = self.chance.randrange(len(self.base.files))

        def judge(now: Seen, killed: bool) -> None:
            new = [number for number in now.imports if number not in self.seen.imports]
            assert len(new) <= 1
            assert not new or new[0] > max(self.seen.imports, default=0), "a number was given twice"
            after = replace(self.model, imports=(*self.model.imports, *((number, file) for number in new)))
            self.expect(now, "records", "imports")
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
            self.expect(now, "records", "imports")
            assert set(self.seen.imports) - set(now.imports) == ({number} if gone else set())
            self.model = after if gone else self.model
            assert now.records == self.model.list_records(self.base), "an undo is half"

        return self._command("undo", str(number), "--yes"), judge

    def _release(self) -> Any:  # noqa: ANN401
        def judge(now: Seen, killed: bool) -> None:
            self.expect(now, "releases", "approved", "current")
            new = set(now.releases) - set(self.seen.releases)
            assert len(new) == 1 or (killed and not new)
            assert {n: h for n, h in now.releases.items() if n not in new} == self.seen.releases, "an older release"
            assert now.current == (new.pop() if new else self.seen.current), "the current release"
            if not killed:
                leftovers = [p.name for p in self.world.workspace.releases.glob(".tmp-*")]
                assert not leftovers, leftovers

        return self._command("release"), judge

    def _publish(self) -> Any:  # noqa: ANN401
        def judge(now: Seen, killed: bool) -> None:
            self.expect(now, "published", "keys")
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
            self.expect(now, "plans", "ledger")
            new = now.plans - self.seen.plans
            assert len(new) == 1 or (killed and not new)
            assert now.ledger - self.seen.ledger == new, "a plan without its entry in the ledger"

        return save, judge

    def _invite(self) -> Any:  # noqa: ANN401
        name = self.chance.choice(["First Person", "Second Person", f"Person {self.number}"])

        def judge(now: Seen, killed: bool) -> None:
            self.expect(now, "people", "log")
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
            self.expect(now, "people", "log")
            states = {0: None, 1: "invited", 2: "active"}
            rows = now.log - self.seen.log
            assert now.people.get(name) == states[rows], "a person without their row in the log"
            assert rows == 2 or killed

        return accept, judge

    def _revoke(self) -> Any:  # noqa: ANN401
        name = self.chance.choice(sorted(self.seen.people))

        def judge(now: Seen, killed: bool) -> None:
            self.expect(now, "people", "log")
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
            self.expect(now, "meetings", "log")
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
            self.expect(now, "log")
            assert now.log == min(rows, 2) or (killed and now.log == rows), "the audit log is half shortened"

        return shorten, judge

    def _backup(self) -> Any:  # noqa: ANN401
        name = f"{self.number}.backup"

        def judge(now: Seen, killed: bool) -> None:
            self.expect(now, "backups")
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
            self.expect(now, "records", "imports", "plans", "ledger")
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
            self.expect(now)
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
                    records = frozenset((identity, content) for identity, content, _ in read_records(vault))
                # It must have the records of the backup, except those forgotten since.
                assert records >= replace(self.model, imports=self.model.backups[name]).list_records(self.base)
                for release in names(elsewhere.workspace.releases):
                    assert Release.open(elsewhere.workspace.releases, "partner", release).check() == []
                    assert hash_tree(elsewhere.workspace.releases / release) == self.seen.releases[release]
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
            self.expect(now, "records", "forgotten")
            assert noted or killed or hashes <= self.model.forgotten, f"not forgotten {number}"
            self.model = after if noted else self.model
            assert now.records == self.model.list_records(self.base), "a child is half forgotten"

        words = ("forget", "--partner", PARTNERS[file % 3], "--from", request, "--even-if-unknown")
        return self._command(*words), judge

    def _is_child(self, file: int, identity: str, child: int) -> bool:
        """Return whether the record `identity` of a file is about the child with the identifier K-`child`."""
        secrets = keys.load(self.world.workspace.key_id)
        wanted = forgetting.hash_child(secrets, intake.child_names(PARTNERS[file % 3], f"K-{child}", ""))
        return self.base.children[file][identity].lower() in wanted

    def _withdraw(self) -> Any:  # noqa: ANN401
        there = [partner for partner in range(len(PARTNERS)) if not self._has_none(partner)]
        if not there:
            return None
        partner = self.chance.choice(there)

        def judge(now: Seen, killed: bool) -> None:
            new = [entry for entry in now.forgotten - self.seen.forgotten if entry.kind == "partner"]
            self.expect(now, "records", "forgotten", "imports")
            assert len(new) == 1 or (killed and not new)
            if new:
                self.model = replace(self.model, left=(*self.model.left, (partner, int(new[0].until))))
            assert now.records == self.model.list_records(self.base), "a partner left by half"

        return self._command("withdraw", "--partner", PARTNERS[partner], "--yes"), judge

    def _has_none(self, partner: int) -> bool:
        return not any(
            self.base.brought[f].keys() & dict(self.seen.records).keys() for f in range(12) if f % 3 == partner
        )
