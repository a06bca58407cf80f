"""The `tact` commands, one file per group. Only the command line imports them, never the web process."""
