"""The desk: a local page for the data officer, served by a process of its own on this machine's own address.

Beside the command line it is the only part of the product that may open the vault. It gets the keys through a pipe,
keeps them in memory alone and forgets them after some minutes without use (dashboard/desk/state.py). What it does is
done by the same functions behind the wall as the commands (data.restricted); here are only the pages.
"""
