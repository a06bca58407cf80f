"""Backup and restore: one encrypted file that holds the records and both keys.

The file also contains the people who sign in with their audit log, agendas and decisions, the partners' column
mappings, the governance file with its logs, the policy, the saved plans and the releases. The earlier releases are
needed because a published number is repeated for ever. Imported boundaries are part of each release.
"""

from data.restricted.backup.restoring import Restored, find_backup, restore_backup
from data.restricted.backup.writing import check_target, word_overdue, write_backup
from data.workspace.passphrases import check_passphrase

__all__ = [
    "Restored", "check_passphrase", "check_target", "find_backup", "restore_backup", "word_overdue", "write_backup",
]  # fmt: skip
