"""Who an account is in our books: a listed person by roster id, everybody else by pseudonym."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
        spelled = [handle.removeprefix("@").casefold() for handle in (*own, *post.mentions)]
        return msgspec.structs.replace(
            post,
            author=author,
            mentions=tuple(dict.fromkeys(self.of(platform, handle) for handle in post.mentions)),
            native_id=self._without(post.native_id, platform, item.handles),
            reply_to=self._without(post.reply_to, platform, item.handles),
            url="" if _names_any(post.url, spelled) else post.url,
            links=tuple(link for link in post.links if not _names_any(link, spelled)),
        )

    def _without(self, text: str, platform: str, handles: Iterable[str]) -> str:
        for handle in handles:
            bare = handle.removeprefix("@")
            if bare and bare in text:
                text = _word(bare).sub(self._pseudonyms.of(platform, bare), text)
        return text


def _names_any(url: str, spelled: Iterable[str]) -> bool:
    """Whether one of the account names stands in `url` as a word of its own."""
    folded = url.casefold()
    return any(handle in folded and _word(handle).search(folded) for handle in spelled if handle)


def _word(handle: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(handle)}(?!\w)")
