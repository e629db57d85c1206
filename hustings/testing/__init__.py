"""What tests of every package share: contract checks that run on each implementation, and small real servers."""
