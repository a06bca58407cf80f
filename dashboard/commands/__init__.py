"""One file a group of `tact` commands. Only the command line comes here, never the web process."""
