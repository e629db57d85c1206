"""Generates the synthetic election from a seed: posts by source, and the truth about what was planted."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from random import Random
from typing import Any

import msgspec

from hustings.clock import to_ms
from hustings.types import Post
from runtime.demo.noise import disguised, near_copy, noisy

__all__ = ["DEFAULT_POSTS", "Election", "Event", "Truth", "generate"]

DEFAULT_POSTS = 20_000
DEFAULT_SEED = 76_176
PLATFORM = "chatter"
PRESS = "press"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something planted. `rules` are the names of the rules that should tell (empty for a harmless look-alike, about
    which none may), `group` what the alert's group must say, `keys` the posts that belong to it."""

    name: str
    harmful: bool
    rules: tuple[str, ...]
    group: dict[str, str]
    first_at: datetime
    last_at: datetime
    keys: tuple[str, ...]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What is true about the generated posts: codes by key (absent: none), the planted events, the silence."""

    seed: int
    codes: dict[str, tuple[str, ...]]
    protected: dict[str, str]
    events: tuple[Event, ...]
    silence_region: str
    silence_start: datetime
    silence_end: datetime
    outlets_by_region: dict[str, tuple[str, ...]]


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """Posts by source in the order of collection, raw lines that are broken on purpose, and the truth."""

    posts: dict[str, list[Post]]
    broken_lines: list[bytes]
    truth: Truth


def read_demo(name: str) -> dict[str, Any]:
    """A TOML file of `configs/demo`."""
    return tomllib.loads(resources.files("configs").joinpath("demo", name).read_text("utf-8"))


def generate(*, seed: int = DEFAULT_SEED, posts: int = DEFAULT_POSTS) -> Election:
    """The same election for the same arguments. `posts` counts lines in the sources, revisions and repeats included."""
    return _Generator(seed, posts).run()


class _Account(msgspec.Struct, frozen=True):
    handle: str
    lang: str
    sloppiness: float
    weight: float


class _Generator:
    def __init__(self, seed: int, size: int) -> None:
        self.rng = Random(seed)
        self.seed = seed
        self.size = size
        plan = read_demo("election.toml")
        self.start: datetime = plan["start"].astimezone(UTC)
        self.days: int = plan["days"]
        self.outlets: list[dict[str, str]] = plan["outlet"]
        self.texts = {lang: read_demo(f"texts/{lang}.toml") for lang in plan["languages"]}
        self.people: list[dict[str, Any]] = read_demo("roster.toml")["person"]
        self.women = [p for p in self.people if p["attributes"]["gender"] == "woman"]
        self.accounts = self._make_accounts(plan["accounts"], plan["languages"])
        self.social: list[Post] = []
        self.press: dict[str, list[Post]] = {outlet["id"]: [] for outlet in self.outlets}
        self.codes: dict[str, tuple[str, ...]] = {}
        self.protected: dict[str, str] = {}
        self.events: list[Event] = []
        self.number = 0
        self.silence = ("Wadi Sahl", self._at(3, 10), self._at(3, 14))

    def run(self) -> Election:
        self._false_date()
        self._pile_on_and_praise()
        self._threat()
        self._doctored_result()
        self._official_notice()
        self._background_abuse()
        self._protected_speech()
        self._news()
        repeats = max(1, self.size // 200)
        broken = _broken_lines()
        while len(self.social) + sum(map(len, self.press.values())) + repeats + len(broken) < self.size:
            self._chatter()
        # A second stream collects some of the same posts: the same key from two collectors is one post.
        again = self.rng.sample(self.social, repeats)
        by_collection = sorted(self.social, key=_order)
        sources = {"chatter-keyword": by_collection, "chatter-accounts": sorted(again, key=_order)}
        sources |= {name: sorted(found, key=_order) for name, found in self.press.items()}
        region, start, end = self.silence
        by_region: dict[str, list[str]] = {}
        for outlet in self.outlets:
            by_region.setdefault(outlet["region"], []).append(outlet["id"])
        truth = Truth(
            seed=self.seed,
            codes=self.codes,
            protected=self.protected,
            events=tuple(self.events),
            silence_region=region,
            silence_start=start,
            silence_end=end,
            outlets_by_region={name: tuple(ids) for name, ids in by_region.items()},
        )
        return Election(posts=sources, broken_lines=broken, truth=truth)

    # ── what is planted ──────────────────────────────────────────────────────────────────────────────────────────

    def _false_date(self) -> None:
        """Nine accounts spread near-copies of a false polling date over five hours, in three languages; some posts
        come late, some are corrected afterwards."""
        rng = self.rng
        first = self._at(2, 13, 5)
        chosen = [a for lang, n in (("en", 5), ("es", 2), ("ar", 2)) for a in self._some(lang, n)]
        keys = []
        for n in range(60):
            account = rng.choice(chosen)
            text = near_copy(rng.choice(self.texts[account.lang]["false_date"]), lang=account.lang, rng=rng)
            if account.lang == "en" and rng.random() < 0.15:
                text = disguised(text, rng=rng)
            at = first + timedelta(minutes=5 * n, seconds=rng.randint(0, 200))
            late = timedelta(hours=3) if n % 20 == 19 else timedelta(0)
            post = self._post(account, text, at, delay=late)
            keys.append(post.key)
            self.codes[post.key] = ("N-PROC-DATE",)
            if n % 15 == 14:
                edited_at = at + timedelta(hours=6)
                fixed = rng.choice(self.texts[account.lang]["corrected"])
                self._revise(post, fixed, edited_at)
                self.codes[post.key] = ()
        self._event("false polling date", True, ("voting-info-claim", "coordinated-copy"), {}, keys)

    def _pile_on_and_praise(self) -> None:
        """Forty-five accounts abuse one woman within ninety minutes; beside it a pile of praise for another."""
        rng = self.rng
        start = self._at(5, 18, 10)
        target, praised = self._person("c07"), self._person("c09")
        keys, praise_keys = [], []
        for n, account in enumerate(self._some("en", 45)):
            text = self._filled("en", rng.choice(self.texts["en"]["gendered_abuse"]), target)
            if n % 7 == 3:
                text = disguised(text, rng=rng)
            at = start + timedelta(minutes=2 * n, seconds=rng.randint(0, 100))
            post = self._post(account, noisy(text, rng=rng, sloppiness=account.sloppiness / 2), at)
            keys.append(post.key)
            self.codes[post.key] = ("G",)
        self._event("pile-on against one woman", True, ("gendered-abuse-pile-on",), {"aimed_at": "c07"}, keys)
        for n, account in enumerate(self._some("en", 30) + self._some("es", 10) + self._some("ar", 5)):
            text = self._filled(account.lang, rng.choice(self.texts[account.lang]["praise"]), praised)
            at = start + timedelta(minutes=2 * n, seconds=rng.randint(0, 100))
            post = self._post(account, noisy(text, rng=rng, sloppiness=account.sloppiness / 2), at)
            praise_keys.append(post.key)
        self._event("pile of praise", False, (), {"aimed_at": "c09"}, praise_keys)

    def _threat(self) -> None:
        target = self._person("c03")
        text = self._filled("en", self.texts["en"]["threat"][0], target)
        post = self._post(self._some("en", 1)[0], text, self._at(6, 21, 40))
        self.codes[post.key] = ("G-THR", "G")
        self._event("threat", True, ("threat-named-target",), {"aimed_at": "c03"}, [post.key])

    def _doctored_result(self) -> None:
        """On election night, a "leaked" result long before the count has ended."""
        rng = self.rng
        start = self._at(4, 20, 20)
        keys = []
        accounts = self._some("en", 8) + self._some("es", 2) + self._some("ar", 2)
        for n in range(24):
            account = accounts[n % len(accounts)]
            text = self._filled(
                account.lang, rng.choice(self.texts[account.lang]["doctored_result"]), self._person("c02")
            )
            at = start + timedelta(minutes=4 * n, seconds=rng.randint(0, 150))
            post = self._post(account, near_copy(text, lang=account.lang, rng=rng), at)
            keys.append(post.key)
            self.codes[post.key] = ("N-DELEG-RESULT",)
        self._event("doctored result", True, ("doctored-result",), {}, keys)

    def _official_notice(self) -> None:
        """A real procedural notice, and many who pass it on: looks like a false one, and is not."""
        rng = self.rng
        start = self._at(1, 9)
        keys = []
        for n, text in enumerate(self.texts["en"]["official"]):
            post = self._article("electoral-commission", text, start + timedelta(hours=20 * n))
            keys.append(post.key)
            self.protected[post.key] = "X-OFFICIAL"
        accounts = self._some("en", 18) + self._some("es", 8) + self._some("ar", 6)
        for n, account in enumerate(accounts):
            text = rng.choice(self.texts[account.lang]["official"])
            at = start + timedelta(minutes=6 * n + 10, seconds=rng.randint(0, 200))
            post = self._post(account, near_copy(text, lang=account.lang, rng=rng), at)
            keys.append(post.key)
            self.protected[post.key] = "X-OFFICIAL"
        self._event("real procedural notice", False, (), {}, keys)

    # ── the rest of the election ─────────────────────────────────────────────────────────────────────────────────

    def _background_abuse(self) -> None:
        """What goes on all the time: insults of women and men alike, now and then something worse."""
        rng = self.rng
        for _ in range(self.size // 250):
            account = self._any_account()
            text = self._filled(account.lang, rng.choice(self.texts[account.lang]["insult"]), rng.choice(self.people))
            post = self._post(account, noisy(text, rng=rng, sloppiness=account.sloppiness), self._any_time())
            self.codes[post.key] = ("A-INSULT",)
        for _ in range(self.size // 500):
            account = self._some("en", 1)[0]
            text = self._filled("en", rng.choice(self.texts["en"]["gendered_abuse"]), rng.choice(self.women))
            post = self._post(account, noisy(text, rng=rng, sloppiness=account.sloppiness), self._any_time())
            self.codes[post.key] = ("G",)

    def _protected_speech(self) -> None:
        kinds = (
            ("criticism", "X-OPINION", self.size // 20),
            ("satire", "X-SATIRE", self.size // 160),
            ("counter_speech", "X-COUNTER", self.size // 130),
            ("quotes", "X-REPORT", self.size // 160),
        )
        for kind, code, count in kinds:
            for _ in range(count):
                account = self._any_account()
                person = self.rng.choice(self.women) if kind == "counter_speech" else self.rng.choice(self.people)
                text = self._filled(account.lang, self.rng.choice(self.texts[account.lang][kind]), person)
                post = self._post(account, noisy(text, rng=self.rng, sloppiness=account.sloppiness), self._any_time())
                self.protected[post.key] = code

    def _news(self) -> None:
        """Every outlet publishes through the day; one region falls silent for four hours."""
        region, start, end = self.silence
        per_outlet = self.size // 130
        for outlet in self.outlets:
            step = timedelta(days=self.days) / per_outlet
            for n in range(per_outlet):
                at = self.start + step * n + timedelta(seconds=self.rng.randint(0, int(step.total_seconds() * 0.5)))
                if outlet["region"] == region and start <= at < end:
                    continue
                lang = outlet["lang"]
                text = self._filled(lang, self.rng.choice(self.texts[lang]["news"]), self.rng.choice(self.people))
                self._article(outlet["id"], text, at)

    def _chatter(self) -> None:
        rng = self.rng
        account = self._any_account()
        texts = self.texts[account.lang]
        text = self._filled(account.lang, rng.choice(texts["chatter"]), rng.choice(self.people))
        text += rng.choice(texts["endings"])
        self._post(account, noisy(text, rng=rng, sloppiness=account.sloppiness), self._any_time())

    # ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _make_accounts(self, count: int, languages: dict[str, float]) -> list[_Account]:
        names = list(languages)
        weights = list(languages.values())
        return [
            _Account(
                handle=f"velmarian_{number:04d}",
                lang=self.rng.choices(names, weights)[0],
                sloppiness=self.rng.random() * 0.6,
                weight=1.0 / (1 + number % 97),
            )
            for number in range(count)
        ]

    def _some(self, lang: str, count: int) -> list[_Account]:
        return self.rng.sample([a for a in self.accounts if a.lang == lang], count)

    def _any_account(self) -> _Account:
        return self.rng.choices(self.accounts, [a.weight for a in self.accounts])[0]

    def _person(self, identity: str) -> dict[str, Any]:
        return next(person for person in self.people if person["id"] == identity)

    def _filled(self, lang: str, template: str, person: dict[str, Any]) -> str:
        rng = self.rng
        other = rng.choice([p for p in self.people if p["id"] != person["id"]])
        texts = self.texts[lang]
        return template.format(
            c=self._name(lang, person),
            d=self._name(lang, other),
            p=rng.choice(texts["places"]),
            i=rng.choice(texts["issues"]),
            o=rng.choice([o["name"] for o in self.outlets if o["lang"] == lang]),
            n=rng.randint(3, 48),
        )

    def _name(self, lang: str, person: dict[str, Any]) -> str:
        """A full name mostly, else a nickname or a handle, in the script of the language."""
        names = person["names"]
        full: str = names[-1] if lang == "ar" else names[0]
        dice = self.rng.random()
        if dice < 0.1 and lang != "ar":
            return "@" + str(person["handles"][0]).partition(":")[2]
        aliases = [a for a in person["aliases"] if (a.isascii()) is (lang != "ar")]
        if dice < 0.35 and aliases:
            return str(self.rng.choice(aliases))
        return full

    def _post(self, account: _Account, text: str, at: datetime, *, delay: timedelta = timedelta(0)) -> Post:
        post = Post(
            source=PLATFORM,
            native_id=self._next_id(),
            text=text,
            published_at=at,
            collected_at=at + timedelta(seconds=self.rng.randint(5, 90)) + delay,
            medium="post",
            stream="keyword",
            author=account.handle,
            lang="",
            reach=int(self.rng.paretovariate(1.1) * 20),
        )
        self.social.append(post)
        return post

    def _article(self, outlet: str, text: str, at: datetime) -> Post:
        post = Post(
            source=PRESS,
            native_id=f"{outlet}-{self._next_id()}",
            text=text,
            published_at=at,
            collected_at=at + timedelta(seconds=self.rng.randint(30, 240)),
            medium="article",
            stream="account",
            outlet=outlet,
            author=outlet,
        )
        self.press[outlet].append(post)
        return post

    def _revise(self, post: Post, text: str, at: datetime) -> None:
        edited = msgspec.structs.replace(
            post, text=text, revision=to_ms(at), collected_at=at + timedelta(seconds=self.rng.randint(5, 60))
        )
        self.social.append(edited)

    def _event(
        self, name: str, harmful: bool, rules: Sequence[str], group: dict[str, str], keys: Sequence[str]
    ) -> None:
        posts = {p.key: p for found in (self.social, *self.press.values()) for p in found}
        times = sorted(posts[key].published_at for key in keys)
        self.events.append(
            Event(
                name=name,
                harmful=harmful,
                rules=tuple(rules),
                group=group,
                first_at=times[0],
                last_at=times[-1],
                keys=tuple(keys),
            )
        )

    def _next_id(self) -> str:
        self.number += 1
        return f"{self.number:06d}"

    def _at(self, day: int, hour: int, minute: int = 0) -> datetime:
        return self.start + timedelta(days=day, hours=hour, minutes=minute)

    def _any_time(self) -> datetime:
        """Days before a vote are busier, nights are quiet."""
        day = self.rng.choices(range(self.days), [2 if n in (3, 4, 10, 11) else 1 for n in range(self.days)])[0]
        hour = self.rng.choices(range(24), [1] * 6 + [4] * 4 + [5] * 8 + [8] * 4 + [3] * 2)[0]
        return self._at(day, hour) + timedelta(seconds=self.rng.randrange(3600))


def _order(post: Post) -> tuple[datetime, str]:
    return post.collected_at, post.native_id


def _broken_lines() -> list[bytes]:
    """Lines as real exports have them: cut off, not JSON, a key missing, a number where text belongs."""
    head = b'{"source":"chatter","native_id":"broken-%d","text":'
    times = b'"published_at":"2027-03-12T10:00:00Z","collected_at":"2027-03-12T10:00:01Z"'
    return [
        head % 1 + b'"cut off in the mid',
        b"not json at all",
        head % 3 + b'"no times"}',
        head % 4 + b"42," + times + b"}",
        head % 5 + b'"twice","text":"twice",' + times + b"}",
        head % 6 + b'"half",' + times + b',"reach":NaN}',
        head % 7 + b'"surrogate \\ud800",' + times + b"}",
        head % 8 + b'"unknown key",' + times + b',"likes":3}',
    ]
