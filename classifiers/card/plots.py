"""The pictures of a card, as SVG: the same values give the same bytes.

Colours are those of Okabe and Ito, which people with any common colour vision tell apart; every line has its own
marker and dash too, and every picture has its table beside it in the card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from classifiers.card.content import Card
from classifiers.checks.runner import FLOOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", "-", "--")
MARKERS = ("o", "s", "^", "D", "v", "P")
_GREY = "#555555"
_SHOWN_FUNCTIONS = 18


def draw(card: Card) -> dict[str, bytes]:
    """SVG files by name; a picture for which nothing was measured is left out."""
    pictures: dict[str, bytes] = {}
    if card.curves:
        pictures["reliability.svg"] = _picture(card, (5.2, 4.4), _reliability)
        pictures["precision-recall.svg"] = _picture(card, (5.2, 4.4), _precision_recall)
    if card.protected:
        rows = min(len(card.protected), _SHOWN_FUNCTIONS)
        pictures["protected.svg"] = _picture(card, (6.4, 1.2 + 0.28 * rows), _protected)
    return pictures


def _picture(card: Card, size: tuple[float, float], paint: Callable[[Axes, Card], None]) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.hashsalt": card.manifest.tag,  # ids inside the file; by chance otherwise
        "svg.fonttype": "none",  # letters stay letters, so that a screen reader finds them
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot(), card)
        target = BytesIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": "Hustings"})
    return target.getvalue()


def _reliability(axes: Axes, card: Card) -> None:
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, label="perfect")
    for place, curves in enumerate(card.curves):
        axes.plot(
            [one.score for one in curves.reliability],
            [one.positive for one in curves.reliability],
            **_style(place),
            label=curves.on,
        )
    _square(axes, "score that was given", "share of them that was positive")


def _precision_recall(axes: Axes, card: Card) -> None:
    for place, curves in enumerate(card.curves):
        recall, precision, _ = zip(*curves.precision_recall, strict=True)
        axes.plot(recall, precision, **_style(place), markevery=8, label=curves.on)
    places = {curves.on: place for place, curves in enumerate(card.curves)}
    for one in (threshold.deciding for threshold in card.thresholds):
        if one.on in places and one.recall is not None and one.precision is not None:
            axes.plot(
                [one.recall],
                [one.precision],
                "*",
                color=COLOURS[places[one.on] % len(COLOURS)],
                markeredgecolor="black",
                markersize=11,
                label=f"threshold: {one.name}" if one.name else "threshold",
            )
    _square(axes, "recall", "precision")


def _protected(axes: Axes, card: Card) -> None:
    shown = card.protected[:_SHOWN_FUNCTIONS][::-1]
    names = [f"{suite}: {score.function}" for suite, score in shown]  # two suites may call functions alike
    axes.barh(names, [100 * score.flagged for _, score in shown], color=COLOURS[0])
    axes.axvline(100 * (1 - FLOOR), color=COLOURS[1], linestyle="--", linewidth=1)
    axes.set_xlim(0, 100)
    axes.set_xlabel("flagged, of a hundred posts in which nothing is to be found")
    axes.tick_params(axis="y", length=0)


def _style(place: int) -> dict[str, Any]:
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "markersize": 4,
        "linewidth": 1.4,
    }


def _square(axes: Axes, across: str, up: str) -> None:
    limits: Sequence[float] = (-0.02, 1.02)
    axes.set_xlim(limits[0], limits[1])
    axes.set_ylim(limits[0], limits[1])
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(visible=True, linewidth=0.3, color="#bbbbbb")
    axes.legend(fontsize=7, loc="best", frameon=False)
