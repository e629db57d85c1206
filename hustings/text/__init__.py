"""The one analyser: text to tokens, the same for rules, search, heads and the roster. Start at `analyser`."""

from hustings.text.analyser import Analysis, Located, analyse, analyse_all, is_spaceless, locate

__all__ = ["Analysis", "Located", "analyse", "analyse_all", "is_spaceless", "locate"]
