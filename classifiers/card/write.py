"""Writes a card as HTML and Markdown, with its pictures beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifiers.card.content import Card, gather
from classifiers.card.plots import draw
from classifiers.gates.floors import Floors
from classifiers.manifest import Manifest, Metric
from hustings.codebook import Codebook

__all__ = ["write_card"]


def write_card(
    manifest: Manifest,
    folder: Path,
    out: Path,
    *,
    codebook: Codebook,
    serving: Mapping[str, Path],
    floors: Floors,
) -> Path:
    """Write `card.html`, `card.md` and the pictures into `out`, and return the path of the first. The same model, gates
    and suites give the same bytes. `floors` tell of known failures where the gates were not run on this version."""
    card = gather(manifest, folder, codebook=codebook, serving=serving, floors=floors)
    pictures = draw(card)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in pictures.items():
        (out / name).write_bytes(content)
    for name in ("card.md", "card.html"):
        (out / name).write_text(_render(f"{name}.j2", card, frozenset(pictures)), "utf-8")
    return out / "card.html"


def _render(template: str, card: Card, pictures: frozenset[str]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("classifiers.card"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    return environment.get_template(template).render(card=card, manifest=card.manifest, pictures=pictures)


def _measured(metric: Metric | None) -> str:
    return "" if metric is None else f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def _cell(text: Any) -> str:
    """Text inside a cell of a Markdown table: one line, no bar that would end it, nothing that a renderer would run."""
    flat = " ".join(str(text).split())
    for sign in "\\`*_[]<>|":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


_FILTERS = {
    "measured": _measured,
    "percent": lambda value: f"{100 * value:.1f} %",
    "points": lambda value: f"{value:+.1f}",
    "two": lambda value: f"{value:.2f}",
    "three": lambda value: f"{value:.3f}",
    "count": lambda value: f"{value:,}",
    "cell": _cell,
    "capitalised": lambda name: name[:1].upper() + name[1:],
    "limit": lambda check: f"{'≥' if check.at_least else '≤'} {check.limit:g}",
    "fail": lambda check: f"borne: {check.excused}" if check.excused else f"fails: {check.detail}",
}
