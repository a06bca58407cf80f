"""The user of the system who runs a command, as logs name them."""

import getpass


def find_user() -> str:
    """Return the name of the user; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
