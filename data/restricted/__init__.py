"""Behind the wall: keys, vault, intake, counting, publishing, governance, backup.

In the application, only dashboard.commands and dashboard.desk may import this package.
"""
