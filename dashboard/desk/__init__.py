"""The desk: a local page for the data officer. A separate process serves it on the local address of this machine.

Only the desk and the command line may open the vault. The desk gets the keys through a pipe, keeps them only in memory
and forgets them after 15 minutes without use (dashboard/desk/state.py). This package has only the pages; the work is
done by the functions that the commands use too (data.restricted).
"""
