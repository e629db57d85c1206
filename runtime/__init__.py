"""How it runs: command line, configuration, wiring, loops, supervisor."""
