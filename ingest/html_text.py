"""The words of a piece of HTML, and where its links go. Nothing of the markup survives.

One pass from left to right, with the tokenizer's rules of the HTML standard for what is unfinished: an open comment or
tag swallows the rest. So the time is linear in the input, whatever it holds (the parser of the standard library is
quadratic on some of it), and nothing is ever rendered or fetched.
"""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

__all__ = ["HtmlText", "Link", "read_html"]

MAX_HTML = 1_000_000
"""Characters that are looked at; the rest is cut."""

_SILENT = frozenset({"script", "style", "template", "iframe", "object", "noscript", "title", "head", "svg", "math"})
"""Elements whose content nobody reads."""
_BREAKING = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figcaption", "figure"}
    | {"footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p"}
    | {"pre", "section", "table", "td", "th", "tr", "ul"}
)
_TAG = re.compile(r"</?([a-zA-Z][^\s/>]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>")
_TAG_WITH_OPEN_QUOTE = re.compile(r"</?([a-zA-Z][^\s/>]*)([^>]*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")


class Link(NamedTuple):
    """Where an `a` element points, with its classes."""

    href: str
    classes: frozenset[str]


class HtmlText(NamedTuple):
    """The words, one line a block; the links in order; whether the input was cut."""

    text: str
    links: tuple[Link, ...]
    is_cut: bool


def read_html(html: str) -> HtmlText:
    """The visible words of `html`. Never raises."""
    is_cut = len(html) > MAX_HTML
    html = html[:MAX_HTML]
    words: list[str] = []
    links: list[Link] = []
    silent_until = ""
    position = 0
    while position < len(html):
        opening = html.find("<", position)
        if opening < 0:
            opening = len(html)
        if not silent_until:
            words.append(unescape(re.sub(r"\s+", " ", html[position:opening])))
        if opening == len(html):
            break
        end, name, attributes = _tag_at(html, opening)
        if end < 0:
            break
        position = end
        closing = html.startswith("</", opening)
        if silent_until:
            silent_until = "" if closing and name == silent_until else silent_until
        elif name in _SILENT:
            silent_until = "" if closing or attributes.endswith("/") else name
        elif name in _BREAKING:
            words.append("\n\n" if name == "p" else "\n")
        elif not name:
            words.append("" if end > opening + 1 else "<")
        elif name == "a" and not closing:
            links.extend(_link(attributes))
    return HtmlText(_tidy("".join(words)), tuple(links), is_cut)


def _tag_at(html: str, opening: int) -> tuple[int, str, str]:
    """(position after it, lower-case name, attributes) of what begins at `opening`; the name of a comment or
    declaration is "". Position -1: it has no end; one further: it is no tag but a lone `<`."""
    if html.startswith("<!--", opening):
        end = html.find("-->", opening + 4)
        return (end + 3 if end >= 0 else -1), "", ""
    if html.startswith(("<!", "<?"), opening):
        return html.find(">", opening) + 1 or -1, "", ""
    tag = _TAG.match(html, opening) or _TAG_WITH_OPEN_QUOTE.match(html, opening)
    if tag is not None:
        return tag.end(), tag[1].lower(), tag[2]
    after = html[opening + 1 : opening + 3].removeprefix("/")
    return (-1 if after[:1].isalpha() and after.isascii() else opening + 1), "", ""


def _link(attributes: str) -> list[Link]:
    values = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(attributes)}
    href = values.get("href", "").strip()
    return [Link(href, frozenset(values.get("class", "").split()))] if href else []


def _tidy(text: str) -> str:
    text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
