"""Counting: from the records of the vault to true counts of areas and periods. Behind the wall."""
