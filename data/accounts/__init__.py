"""Who may sign in to the map, what each of them may do, and the audit log of what they did.

All of it is in one SQLite file, which the web process may write. Nothing in it is a number of a release.
"""
