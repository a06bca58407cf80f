"""Who may sign in to the map, what each of them may do, and the audit log of what they did.

Everything is in one SQLite file, which the web process may write. The product writes no number of a release there.
"""
