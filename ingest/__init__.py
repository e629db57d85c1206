"""How the outside becomes posts: sources, evidence, the egress guard, the log."""
