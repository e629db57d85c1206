"""Every shipped model by name, and one function that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from classifiers.manifest import Manifest
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.make_embedder import EMBEDDERS
from classifiers.training.order import Order
from classifiers.training.recipes import RECIPES
from classifiers.training.stages import Tell, to_nobody
from classifiers.training.train_check_worthiness import check_worthiness_heads, train_check_worthiness
from classifiers.training.train_claims import NAME as CLAIMS
from classifiers.training.train_claims import train_claims
from classifiers.training.train_linear import train_head
from classifiers.training.train_meaning import abuse_languages, train_meaning
from classifiers.training.train_narratives import narrative_languages, train_narratives
from hustings.errors import ConfigError

__all__ = ["check_known", "made_together", "train", "trainable"]


def trainable() -> list[str]:
    """Names of all models that can be made here."""
    narratives = (f"N-{language}" for language in narrative_languages())
    return [*RECIPES, *narratives, *_meanings(), *check_worthiness_heads(), CLAIMS]


def _meanings() -> list[str]:
    return [f"A-{language}" for language in abuse_languages()]


def made_together(names: Sequence[str]) -> list[list[str]]:
    """The names in parts that need nothing of each other. Models of narratives share what is learnt of all languages,
    and so do those of abuse: each kind is one part. What takes longest stands first, as far as is known beforehand."""
    meanings = [name for name in names if name in _meanings()]
    narratives = [name for name in names if name.startswith("N-") and name not in RECIPES]
    alone = [name for name in names if name not in {*meanings, *narratives}]
    alone.sort(key=lambda name: (name not in RECIPES, name in RECIPES and not RECIPES[name].taught_by))
    return [part for part in (narratives, meanings, *([name] for name in alone)) if part]


def check_known(names: Iterable[str]) -> None:
    """Raises `ConfigError` for the first name that has no recipe, with the one that looks most like it and all that
    have one."""
    known = trainable()
    for name in names:
        if name in ENCODERS or name in EMBEDDERS:
            raise ConfigError(f"{name} is made with --kind encoder: `hustings model train {name} --kind encoder`")
        if name not in known:
            near = get_close_matches(name[:64], known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"no recipe for a model {name!r}; {hint}known are {', '.join(known)}")


def train(name: str, order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Make the model and write it to `order.models/<name>`; the same order gives the same bytes. `tell` hears each
    stage. Raises `ConfigError` for a name that has no recipe."""
    recipe = RECIPES.get(name)
    if recipe is not None:
        return train_head(recipe, order, tell=tell)
    if name == CLAIMS:
        return train_claims(order, tell=tell)
    if name in check_worthiness_heads():
        return train_check_worthiness(name.rpartition("-")[2], order, tell=tell)
    check_known([name])
    make, language = (train_meaning, name[2:]) if name in _meanings() else (train_narratives, name.removeprefix("N-"))
    return make(language, order, tell=tell)
