"""What is taken out of a text before a partner reads it.

Private handles and other accounts' ids become pseudonyms that differ from partner to partner, addresses of pages keep
only their host and cannot be clicked, e-mail addresses and telephone numbers go, abusive words are masked."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from base64 import b32encode
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from hustings.roster import Roster
from hustings.types import Assessment

__all__ = ["Redactor", "defang", "one_line", "shorten"]

WITHHELD = "[withheld: abusive text whose words were not located]"
ABUSIVE = ("G", "A", "H")
"""Code families whose spans hold the abuse itself."""
HARMLESS = frozenset({"G-NONE", "H-NONE"})

_URL = re.compile(r"(?:https?|hxxps?|ftp)://[^\s<>\"']+|\bwww\.[^\s<>\"']+", re.IGNORECASE)
_BARE_HOST = re.compile(r"\b(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?:/[^\s<>\"']*)?")
_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+\w{2,24}")
_HANDLE = re.compile(r"(?<!\w)(?:[@＠]|/?u/)\w(?:[\w.-]{0,62}\w)?(?:@[\w-]{1,63}(?:\.[\w-]{1,63})+)?")
_DID = re.compile(r"\bdid:[a-z]{2,10}:[A-Za-z0-9._%-]{1,128}")
_DATE_OR_COUNT = r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,3}(?:\.\d{3})+)(?!\w)"
_PHONE = re.compile(rf"(?<![\w.])(?!{_DATE_OR_COUNT})\+?\(?\d(?:[\s().-]{{0,2}}\d){{7,14}}(?!\w)")
_WORD = re.compile(r"\w+")
_PLAIN_ID = re.compile(r"[\w.-]+")


class _Cut(NamedTuple):
    start: int
    end: int
    instead: str


class Redactor:
    """Redaction for one partner. `key` is the secret of its pseudonyms."""

    def __init__(self, *, key: str, roster: Roster, mask_slurs: bool) -> None:
        self._key = key.encode()
        self._roster = roster
        self._mask_slurs = mask_slurs
        self._people = {person.id: person.name for person in roster.people}

    def author(self, author: str) -> str:
        """The listed person's name, else a pseudonym of the pseudonym; empty stays empty."""
        return self._people.get(author) or (self.pseudonym(author) if author else "")

    def pseudonym(self, account: str) -> str:
        """The same account gets the same name in all messages to this partner and another one in everybody else's."""
        digest = hmac.new(self._key, b"account\0" + account.casefold().encode(), hashlib.sha256).digest()
        return "account-" + b32encode(digest)[:10].decode().lower()

    def excerpt(self, assessment: Assessment) -> str:
        """The post's text, redacted, on one line. Abuse that no classifier could locate withholds the whole text,
        unless the partner asked for slurs."""
        post = assessment.post
        cuts = self._cuts(post.text, post.source)
        if self._mask_slurs:
            abusive = [flag for flag in assessment.flags if _is_abusive(flag.code)]
            spans = [span for flag in abusive for span in flag.spans if span.part == "text"]
            if abusive and not any(flag.spans for flag in abusive):
                return WITHHELD
            cuts += [
                _Cut(word.start(), word.end(), masked(word.group()))
                for span in spans
                for word in _WORD.finditer(post.text, span.start, min(span.end, len(post.text)))
            ]
        return one_line(_replaced(post.text, cuts))

    def words(self, text: str, *, source: str = "") -> str:
        """Any other text (a group value, a reason, a key), redacted, on one line."""
        return one_line(_replaced(text, self._cuts(text, source)))

    def key(self, key: str) -> str:
        """The key of a post. A native id that may hold an account (an address, a path, a DID) becomes a reference that
        only the desk can resolve."""
        source, _, native_id = key.partition(":")
        if _PLAIN_ID.fullmatch(native_id):
            return key
        digest = hmac.new(self._key, b"post\0" + key.encode(), hashlib.sha256).digest()
        return f"{source}:ref-" + b32encode(digest)[:16].decode().lower()

    def _cuts(self, text: str, source: str) -> list[_Cut]:
        return [
            *(_Cut(*found.span(), "[e-mail address]") for found in _EMAIL.finditer(text)),
            *(_Cut(*found.span(), defang(found.group())) for found in _URL.finditer(text)),
            *(_Cut(*found.span(), self.pseudonym(found.group())) for found in _DID.finditer(text)),
            *(_Cut(*found.span(), self._handle(found.group(), source)) for found in _HANDLE.finditer(text)),
            *(_Cut(*found.span(), defang(found.group())) for found in _BARE_HOST.finditer(text)),
            *(_Cut(*found.span(), "[number]") for found in _PHONE.finditer(text)),
        ]

    def _handle(self, handle: str, source: str) -> str:
        listed = self._roster.by_handle(source, handle) if source else None
        return handle if listed is not None else "@" + self.pseudonym(handle.lstrip("@＠/").removeprefix("u/"))


def defang(url: str) -> str:
    """`https://host.example/any/path` → `hxxps://host[.]example/…`: readable, not clickable, without a path (paths
    hold account names)."""
    has_scheme = "://" in url
    try:
        parts = urlsplit(url if has_scheme else f"//{url}")
        host = (parts.hostname or "").strip(".")
    except ValueError:
        return "[address]"
    if not host:
        return "[address]"
    scheme = re.sub("^h..p", "hxxp", parts.scheme.lower()) + "://" if has_scheme else ""
    more = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{scheme}{host.replace('.', '[.]').replace(':', '[:]')}{more}"


def masked(word: str) -> str:
    """The first letter and a star for each of the others."""
    return word[0] + "*" * (len(word) - 1)


def one_line(text: str) -> str:
    """Without line breaks, controls and invisible marks (a hostile title must not break a header, hide text or turn it
    round), white space made single. Joiners that scripts need stay."""
    return " ".join("".join(map(_visible, text)).split())


def _visible(ch: str) -> str:
    category = unicodedata.category(ch)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Cs", "Co", "Cn"} and ch not in "\u200c\u200d" else ch


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis where something was cut; never inside a combining sequence."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (unicodedata.combining(text[end]) or text[end] == "\u200d" or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end].rstrip() + "…"


def _is_abusive(code: str) -> bool:
    return code.split("-", 1)[0] in ABUSIVE and code not in HARMLESS


def _replaced(text: str, cuts: Iterable[_Cut]) -> str:
    """Make all replacements; of overlapping ones the first that starts, then the longest, wins and covers both."""
    out: list[str] = []
    at = 0
    for cut in sorted(cuts, key=lambda cut: (cut.start, -cut.end)):
        if cut.start < at:
            at = max(at, cut.end)
            continue
        out += (text[at : cut.start], cut.instead)
        at = cut.end
    return "".join((*out, text[at:]))
