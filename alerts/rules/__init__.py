"""Rule files: what they may say, how they are read and checked, and the rules that come out."""

from alerts.rules.settings import Rule, RuleSet

__all__ = ["Rule", "RuleSet"]
