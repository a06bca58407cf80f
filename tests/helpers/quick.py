"""Make tests faster where they do not check it: fewer draws and worlds, cheap keys, no waiting for the disk."""

import hashlib
import os
import re
import sqlite3
from functools import partial

import pytest
from sqlcipher3 import dbapi2 as sqlcipher


def skip_flushes(patch: pytest.MonkeyPatch) -> None:
    """Do not wait until files and databases are on the disk: no test cuts the power."""
    from data.restricted.vault import sqlcipher as vault

    patch.setattr(os, "fsync", lambda descriptor: None)
    for library in (sqlite3, sqlcipher):

        class Unflushed(library.Connection):
            def execute(self, statement, *values):
                return super().execute(re.sub("synchronous = (FULL|EXTRA)", "synchronous = OFF", statement), *values)

        patch.setattr(library, "connect", partial(library.connect, factory=Unflushed))
    open_vault = vault._open

    def open_unflushed(path, key, *, create):
        connection = open_vault(path, key, create=create)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    patch.setattr(vault, "_open", open_unflushed)


def use_few_worlds(patch: pytest.MonkeyPatch) -> None:
    """Use fewer worlds in the membership attack, for tests that do not check what a release withholds."""
    from data.disclosure.attacks.membership import attacker
    from data.restricted import publishing

    patch.setattr(attacker, "_SHORT", 200)
    patch.setattr(publishing, "withhold_cells", partial(publishing.withhold_cells, worlds=(500,)))


def use_few_draws(patch: pytest.MonkeyPatch) -> None:
    """Use fewer draws of the risk model, for tests that do not check its numbers."""
    from risk.report import model_card, tables

    for module in (tables, model_card):
        patch.setattr(module, "DRAWS", 400)
        patch.setattr(module, "REPLICATES", 99)


def derive_keys_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Derive the key of a backup from its passphrase at once; SQLCipher takes a fifth of a second for this."""
    from data.restricted.backup import encrypted_file, writing

    normalize = encrypted_file.normalize_passphrase

    def make_raw_key(text: str) -> str:
        return f"x'{hashlib.sha256(normalize(text).encode()).hexdigest()}'"

    for module in (encrypted_file, writing):
        patch.setattr(module, "normalize_passphrase", make_raw_key)


def leave_out_plan(patch: pytest.MonkeyPatch) -> None:
    """Make `tact risk` fit only regions, say nothing about changes over time, and prepare no plan.

    For tests that need nothing else.
    """
    from risk import report
    from risk.planning import scoring

    for module, name, nothing in (
        (scoring, "prepare_advice", None),
        (report, "_describe_time", {}),
        (report, "_fit_municipalities", None),
    ):
        patch.setattr(module, name, lambda *_, nothing=nothing: nothing)
