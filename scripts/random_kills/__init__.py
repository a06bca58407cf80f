"""Kill commands of the product at random moments, and check after each kill that nothing is lost and nothing is half.

    python -m scripts.random_kills --number 1000 --seed 1

A small workspace lives through a random sequence of imports, undos, releases, publications, plans, people, their log,
meetings, backups, restores, forgotten children and partners who leave (`rounds.py`). Each command runs in a process of
its own that gets a real SIGKILL (`killing.py`): at a random step (an opened or renamed file, a statement of SQL, some
work of SQLite), some milliseconds after one, or at a random time. Then `tact doctor` runs (which may be killed too)
with the remedies that it names, and what is there (`world.py`) must be what was there before the command, or what a
model says of the whole command.

Prints JSON; ends with 1 if anything was found. Ctrl+C stops it and prints what was found so far. POSIX only.
"""
