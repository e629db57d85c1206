"""Rule files: what they may say, how they are read and checked, and the rules that come out."""

from alerts.rule import Rule, RuleSet
from alerts.rules.load import load_rules

__all__ = ["Rule", "RuleSet", "load_rules"]
