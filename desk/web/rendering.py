"""Templates to HTML: one Jinja environment, escaping always on, an unknown name is an error; times and numbers as
people read them. The only place where times leave UTC values for words, and they stay UTC there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from desk.web.chart import HEIGHT, WIDTH
from hustings.clock import rfc3339

__all__ = ["environment", "moment", "plain_moment", "sentence", "span_of_time", "ticks"]


def environment(*, static: Callable[[str], str], code_title: Callable[[str], str]) -> Environment:
    """The environment of all templates; `static` gives the address of a static file, `code_title` a code's title."""
    made = Environment(
        loader=PackageLoader("desk.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "moment": moment,
        "plain_moment": plain_moment,
        "duration": span_of_time,
        "thousands": lambda number: f"{number:,}",
        "percent": lambda share: f"{share:.0%}" if share >= 0.1 else f"{share:.1%}",
        "plain_number": lambda number: f"{number:,.4g}" if abs(number) < 10_000 else f"{number:,.0f}",
        "pretty_json": lambda raw: msgspec.json.format(raw.decode(), indent=2),
        "ticks": ticks,
        "sentence": sentence,
        "score": lambda number: f"{number:.2f}",
        "code_title": code_title,
        "post_path": lambda key: "/posts/" + quote(key, safe=""),
        "segment": lambda text: quote(text, safe=""),
    }
    made.globals |= {"static": static, "chart_width": WIDTH, "chart_height": HEIGHT}
    return made


def plain_moment(when: datetime) -> str:
    """`14 Mar 2027, 06:00`, in UTC."""
    return f"{when.day} {when:%b %Y, %H:%M}"


def moment(when: datetime) -> Markup:
    """A `<time>` with the exact value for machines and a short one, in UTC, for people."""
    return Markup('<time datetime="{}">{}</time>').format(escape(rfc3339(when)), plain_moment(when))


def sentence(text: str) -> str:
    """The text of a refusal as a sentence of its own: a capital at its front, a stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def ticks(text: str) -> Markup:
    """A sentence in which `names` stand between backticks, with those as code; everything escaped."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)
    )


def span_of_time(length: timedelta) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `4 days`: the two largest units that say something."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    whole = f"{days} day" + ("s" if days > 1 else "")
    return f"{whole} {hours} h" if hours and days < 3 else whole
