"""The user of the operating system who runs a command, for the logs."""

import getpass


def find_user() -> str:
    """Return the name of the user who runs this process; empty if the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
