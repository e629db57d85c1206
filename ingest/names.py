"""Who an account is in our books: a listed person by roster id, everybody else by pseudonym."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

import ahocorasick
import msgspec

from hustings.contracts import SourceItem
from hustings.roster import Roster
from hustings.types import Post
from ingest.pseudonyms import Pseudonyms

__all__ = ["Names"]


class Names:
    """Takes raw account names out of what a source saw. After this only sealed evidence knows them (and the words of
    the post itself, where people address each other)."""

    def __init__(self, pseudonyms: Pseudonyms, roster: Roster) -> None:
        self._pseudonyms = pseudonyms
        self._ids = roster.ids()
        self._by_handle = {handle.casefold(): person.id for person in roster.people for handle in person.handles}

    def of(self, platform: str, handle: str) -> str:
        """The roster id or pseudonym of an account; "" stays "", and a roster id stays itself."""
        bare = handle.removeprefix("@")
        if not bare or bare in self._ids:
            return bare
        return self._by_handle.get(f"{platform}:{bare}".casefold()) or self._pseudonyms.of(platform, bare)

    def renamed(self, item: SourceItem) -> Post:
        """The post of `item` with its people renamed.

        In native id and reply reference, pseudonyms take the place of `item.handles` (also of listed people: a change
        of the roster must not change the id of a post). An address that names its unlisted author or another account
        is emptied; the evidence holds it.
        """
        post = item.post
        platform = item.platform or post.source
        author = self.of(platform, item.author_handle)
        own = () if author in self._ids else (item.author_handle, *item.handles)
        spelled = _Spellings(handle.removeprefix("@") for handle in (*own, *post.mentions))
        return msgspec.structs.replace(
            post,
            author=author,
            mentions=tuple(dict.fromkeys(self.of(platform, handle) for handle in post.mentions)),
            native_id=self._without(post.native_id, platform, item.handles),
            reply_to=self._without(post.reply_to, platform, item.handles),
            url="" if spelled.are_in(post.url) else post.url,
            links=tuple(link for link in post.links if not spelled.are_in(link)),
        )

    def _without(self, text: str, platform: str, handles: Iterable[str]) -> str:
        for handle in handles:
            bare = handle.removeprefix("@")
            if bare and bare in text:
                text = _word(bare).sub(self._pseudonyms.of(platform, bare), text)
        return text


class _Spellings:
    """Account names that are looked for in addresses, all of them in one pass: a post may name thousands of accounts
    beside thousands of links."""

    def __init__(self, handles: Iterable[str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for handle in handles:
            if handle:
                self._automaton.add_word(_taken_apart(handle), True)
        self._automaton.make_automaton()

    def are_in(self, url: str) -> bool:
        """Whether one of the names stands in `url` as a word of its own, in whatever case, percent-encoded or not."""
        return bool(url and self._automaton) and any(self._automaton.iter(_taken_apart(unquote(url))))


def _taken_apart(text: str) -> str:
    """Words and single signs in their order, so that a name is found where a word begins and ends only."""
    return "\n" + "".join(piece + "\n" for piece in re.findall(r"\w+|\W", text.casefold()))


def _word(handle: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(handle)}(?!\w)")
