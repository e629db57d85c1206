"""What is taken out of a text before a partner reads it.

Private handles and other accounts' ids become pseudonyms that differ from partner to partner, addresses of pages keep
only their host and cannot be clicked, e-mail addresses and telephone numbers go. Where a post is flagged for abuse, the
words that spoke for it are masked, and all others that are nearly always abuse. A name that nothing marks as an
account's cannot be told from a word, and stays."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from alerts.abusive_words import abusive_words
from alerts.folded import Folded, fold, one_line, written
from alerts.telephone import telephone_numbers
from hustings.roster import Roster
from hustings.types import Assessment, Flag

__all__ = ["Redactor", "defang", "is_shown_as_it_is", "shorten"]

WITHHELD = "[withheld: abusive text whose words were not located]"
ADDRESS = "[address]"
ABUSIVE = ("G", "A", "H")
"""Code families whose spans hold the abuse itself."""
HARMLESS = frozenset({"G-NONE", "H-NONE"})

# All patterns read folded text (`alerts.folded`). In scripts without spaces a name stands in the middle of a word, so
# that none may ask for a blank before it, and what follows is cut with it up to the end of the word.
_REST = r"[^\s<>\"]*"
_SPELLED_DOT = r"\s?[\[({]\s?(?:dot|punto|ponto|punkt|point|\.)\s?[\])}]\s?"
_DOT = rf"(?:\.|{_SPELLED_DOT})"
_SPELLED_AT = r"\s?[\[({]\s?(?:at|arroba|@)\s?[\])}]\s?"
_URL = re.compile(rf"[a-z][a-z0-9+.-]{{1,30}}://{_REST}|www\.{_REST}", re.IGNORECASE)
_CONTACT = re.compile(
    r"(?<![a-z])(?:acct|callto|facetime|mailto|matrix|nostr|signal|sips?|skype|sms|tel|threema|viber|whatsapp|xmpp)"
    rf":(?=[^\s/]){_REST}",
    re.IGNORECASE,
)
_PORT_AND_PATH = rf"(?::\d{{1,5}})?(?:[/?#]{_REST})?"
_BARE_HOST = re.compile(
    rf"(?:[\w-]{{1,63}}{_DOT}){{1,6}}[^\W\d_]{{2}}[\w-]*{_PORT_AND_PATH}"
    rf"|\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d{{1,5}})?[/?#]{_REST}",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    rf"(?<![\w.+'%~-])[\w.+'%~-]++(?:{_SPELLED_DOT}[\w.+'%~-]++){{0,4}}"
    rf"(?:(?:@|{_SPELLED_AT})(?:[\w-]++{_DOT}){{1,20}}\w+|{_SPELLED_AT}\w+)",
    re.IGNORECASE,
)
_EMAIL_OF_A_WELL_KNOWN_HOST = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9._+'%-]{2,63}@\w[\w.-]*")
"""`john@mail`, which everybody completes. With fewer letters (`RT@`, `.@`) it is a handle that follows a word."""
_HANDLE = re.compile(
    r"(?:@(?:\s{1,2}(?=[^\W\d_]+[\d_]))?|/u(?:ser)?/|(?<![A-Za-z0-9_])u/)\w(?:[\w.·-]*\w)?"
    rf"(?:[@:][\w-]+(?:\.[\w-]+)+{_PORT_AND_PATH})?"
)
_HANDLE_SIGN = re.compile(r"(?:@\s*|/?u(?:ser)?/)")
_HANDLE_BEFORE_OTHER_WORDS = re.compile(
    r"[A-Za-z0-9_.@:-]*[A-Za-z0-9_](?=[.:-]*[\u0e00-\u109f\u1780-\u17ff\u1950-\u1aaf\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3])"
)
"""The account in `@name吧`: in scripts without spaces, and where particles are attached, the next word follows."""
_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+")
_BLUESKY_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*\.bsky\.social", re.IGNORECASE)
_HOST_OF_ACCOUNTS = re.compile(
    r"\.(?:bsky\.social|tumblr\.com|wordpress\.com|blogspot\.com|substack\.com|livejournal\.com|github\.io|carrd\.co"
    r"|deviantart\.com|medium\.com|neocities\.org|weebly\.com|wixsite\.com)",
    re.IGNORECASE,
)
"""Hosts whose subdomains are accounts."""
_WEB = re.compile(r"(?:h..ps?|ftp)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_THREATS = frozenset({"A-THREAT", "G-THR"})
"""Of these a flag shows the sentence, not a word: masked whole, a threat could not be read by whoever it warns. Abusive
words in it are masked like those of any such post."""
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
        """The post's text, redacted, on one line. Abuse of which no classifier could say where in the text it stands
        withholds the whole text, unless the partner asked for slurs."""
        post = assessment.post
        folded = fold(post.text)
        cuts = self._cuts(post.text, folded, post.source)
        abuse = [flag for flag in assessment.flags if self._mask_slurs and _is_abusive(flag.code)]
        for flag in abuse:
            if flag.code in _THREATS:
                continue
            masks = list(_flagged(post.text, folded, flag))
            if not masks:
                return WITHHELD
            cuts += masks
        if abuse:
            for place in abusive_words(assessment.lang).places(post.text):
                cuts += _masks(post.text, folded, *place)
        return one_line(_replaced(post.text, cuts))

    def words(self, text: str, *, source: str = "") -> str:
        """Any other text (a group value, a reason, a key), redacted, on one line."""
        return one_line(_replaced(text, self._cuts(text, fold(text), source)))

    def key(self, key: str) -> str:
        """The key of a post. A native id that may hold an account (an address, a path, a DID, a name that is a host)
        becomes a reference that only the desk can resolve."""
        if is_shown_as_it_is(key):
            return key
        source = key.partition(":")[0]
        digest = hmac.new(self._key, b"post\0" + key.encode(), hashlib.sha256).digest()
        return f"{source}:ref-" + b32encode(digest)[:16].decode().lower()

    def _cuts(self, text: str, folded: Folded, source: str) -> list[_Cut]:
        kinds: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
            (_EMAIL, lambda _: "[e-mail address]"),
            (_EMAIL_OF_A_WELL_KNOWN_HOST, lambda _: "[e-mail address]"),
            (_URL, defang),
            (_CONTACT, lambda _: ADDRESS),
            (_DID, self.pseudonym),
            (_HANDLE, lambda handle: self._handle(handle, source)),
            (_BARE_HOST, lambda host: self._host(host, source)),
        )
        cuts = [_Cut(*folded.span(*found), "[number]") for found in telephone_numbers(folded.text)]
        for pattern, instead in kinds:
            for found in pattern.finditer(folded.text):
                start, end = folded.span(*found.span())
                cuts.append(_Cut(start, end, instead(written(text[start:end]))))
        return cuts

    def _handle(self, handle: str, source: str) -> str:
        if self._is_listed(handle, source):
            return handle
        account = _HANDLE_SIGN.sub("", handle, count=1)
        alone = _HANDLE_BEFORE_OTHER_WORDS.match(account)
        return "@" + self.pseudonym(alone.group() if alone else account)

    def _host(self, host: str, source: str) -> str:
        if self._is_listed(host, source):
            return host.replace(".", "[.]")
        return self._handle(f"@{host}", source) if _BLUESKY_NAME.fullmatch(host) else defang(host)

    def _is_listed(self, handle: str, source: str) -> bool:
        return bool(source) and self._roster.by_handle(source, handle) is not None


def is_shown_as_it_is(key: str) -> bool:
    """Whether no account can stand in the key of a post, so that all partners read the same."""
    native_id = key.partition(":")[2]
    return bool(_PLAIN_ID.fullmatch(native_id)) and not _BARE_HOST.search(native_id)


def defang(url: str) -> str:
    """`https://host.example/any/path` → `hxxps://host[.]example/…`: readable, not clickable, without a path (paths
    hold account names) and without the account that some hosts begin with. What leads into an app tells nothing that
    could stay."""
    has_scheme = "://" in url
    try:
        parts = urlsplit(url if has_scheme else f"//{url}")
        host = (parts.hostname or "").strip(".")
    except ValueError:
        return ADDRESS
    if not host or (has_scheme and not _WEB.fullmatch(parts.scheme)):
        return ADDRESS
    scheme = re.sub("^h..p", "hxxp", parts.scheme.lower()) + "://" if has_scheme else ""
    accounts = _HOST_OF_ACCOUNTS.search(host)
    if accounts is not None:
        host = "…" + host[accounts.start() :]
    more = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{scheme}{host.replace('.', '[.]').replace(':', '[:]')}{more}"


def masked(word: str) -> str:
    """The first letter and a star for each of the others; a star alone for a single letter, which would be the whole
    word. Marks are no letters."""
    letters = [ch for ch in word if unicodedata.category(ch)[0] not in "CM"]
    return letters[0] + "*" * (len(letters) - 1) if len(letters) > 1 else "*"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis where something was cut; never inside a combining sequence."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (unicodedata.combining(text[end]) or text[end] == "\u200d" or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end].rstrip() + "…"


def _flagged(text: str, folded: Folded, flag: Flag) -> Iterator[_Cut]:
    """The words inside the flag's spans of the text, masked."""
    for span in flag.spans:
        if span.part == "text":
            yield from _masks(text, folded, span.start, span.end)


def _masks(text: str, folded: Folded, begin: int, stop: int) -> Iterator[_Cut]:
    """The words between two places of the text, masked."""
    for word in _WORD.finditer(folded.text, folded.at(begin), folded.at(stop)):
        start, end = folded.span(*word.span())
        yield _Cut(start, end, masked(text[start:end]))


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
