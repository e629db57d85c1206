"""The one analyser: text to tokens, the same for rules, search, heads and the roster. Start at `analyser`."""

from hustings.text.analyser import Analysis, Located, analyse, analyse_all, is_spaceless, locate
from hustings.text.repair import all_latin

__all__ = ["Analysis", "Located", "all_latin", "analyse", "analyse_all", "is_spaceless", "locate"]
