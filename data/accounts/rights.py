"""Roles and the rights of each role. A person who has not signed in has no rights."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """A right: something that a person may do."""

    SEE_PUBLIC = "see_public"  # the public tier
    SEE_PARTNER = "see_partner"  # the partner tier
    PLAN = "plan"  # make plans, decide on moves, save them; make agendas of meetings, minute decisions
    EXPORT = "export"  # take files, pictures and briefings of the tier that one sees
    UPLOAD = "upload"  # give a file to a page: a table of posts or tasks, or one to be checked
    READ_LOG = "read_log"  # the audit log


class Role(StrEnum):
    """The role of a person in the programme."""

    PUBLIC = "public"
    GUEST = "guest"
    PARTNER = "partner"
    MANAGER = "manager"
    RESEARCHER = "researcher"
    OFFICER = "officer"


_READER = frozenset({Right.SEE_PUBLIC, Right.SEE_PARTNER})

ROLES: Mapping[Role, frozenset[Right]] = {
    Role.PUBLIC: frozenset({Right.SEE_PUBLIC, Right.EXPORT}),  # what is public may be taken by anybody
    Role.GUEST: frozenset({Right.SEE_PUBLIC}),
    Role.PARTNER: _READER,
    Role.MANAGER: _READER | {Right.PLAN, Right.UPLOAD},
    Role.RESEARCHER: _READER | {Right.EXPORT, Right.UPLOAD},
    Role.OFFICER: _READER | {Right.READ_LOG},
}
