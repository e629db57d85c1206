"""What an operator may write: ready configurations, codebook, rules, the demo election."""
