"""Rule files: what they may say, how they are read and checked, and the rules that come out."""

from alerts.rules.load import load_rules
from alerts.rules.settings import Rule, RuleSet

__all__ = ["Rule", "RuleSet", "load_rules"]
