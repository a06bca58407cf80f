"""Behind the wall: keys, vault, intake, counting, publishing, governance, backup.

Only dashboard.commands (and later dashboard.desk) may import this package.
"""
