"""The commands of the command line, one file each; only `typer` is imported before a command runs."""
