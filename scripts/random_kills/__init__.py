"""Kill commands of the product at random moments, and check after each kill that nothing is lost or half done.

    python -m scripts.random_kills --number 1000 --seed 1

A small workspace gets a random sequence of commands: imports, undos, releases, publications, plans, invitations,
meetings, backups, restores, and the removal of children and partners (`rounds.py`). Each command runs in a separate
process that gets a real SIGKILL (`killing.py`): at a random step (an opened or renamed file, an SQL statement, some
work of SQLite), some milliseconds after a step, or at a random time. Then `tact doctor` runs, which may be killed too,
and its remedies are carried out. After that the content of the workspace (`world.py`) must be the content from before
the command, or the content that a model predicts for the complete command.

Prints JSON. The exit code is 1 if any failure was found. Ctrl+C stops the run and prints the failures found so far.
POSIX only.
"""
