"""The people of the desk: the first link, accounts, roles, passwords, and how many guesses a stranger has."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, Update, delete, func, select, update

from desk import audit, known_browsers
from desk.database.connect import reading, writing
from desk.database.locks import lock_rows, sweep, take_turn
from desk.database.tables import known_browsers as browsers
from desk.database.tables import links, password_links, people, sessions, unknown_logins
from desk.database.upsert import insert
from desk.digest import digest
from desk.refusals import Refused
from hustings.clock import Clock

__all__ = [
    "LINK_LASTS",
    "NO_LINK",
    "ROLES",
    "DeskRole",
    "Person",
    "create",
    "first_link",
    "invite",
    "leads",
    "link_role",
    "listed",
    "password_link",
    "password_link_holder",
    "set_disabled",
    "set_password",
    "sign_in",
    "signed_in",
    "use_link",
    "use_password_link",
]

T = TypeVar("T")

DeskRole = Literal["viewer", "reviewer", "lead", "engineer", "admin"]
ROLES: tuple[DeskRole, ...] = get_args(DeskRole)

LINK_LASTS = timedelta(hours=24)
MIN_PASSWORD = 12
"""Characters (ASVS 6.2.1 asks for 8 and recommends 15)."""
FREE_GUESSES = 5
"""Wrong passwords in a row before an account makes its guesser wait. A browser in which its owner has signed in before
counts for itself (`desk.known_browsers`): a stranger who never stops keeps only other strangers out."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
"""Doubled with each further wrong guess up to this: about 100 guesses a day."""
GUESSES_FORGOTTEN_AFTER = timedelta(days=1)
"""From the last guess, or the end of the wait: whoever mistypes now and then need not wait for it. Of logins that
nobody has no more rows are kept than come in this time, of which `desk.web.throttle` lets through 120 a minute."""

CONTEXT_WORDS = ("hustings", "password", "passwort", "election", "monitor", "review", "123456", "qwerty", "letmein")
"""A password built around one of these is what a guesser of this deployment tries first."""

_hasher = PasswordHasher()
"""Argon2id with the library's defaults (RFC 9106, low-memory profile)."""
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MDAwMDAwMDAwMDAwMDAwMA$MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"
"""Verified for an unknown login, so that the answer takes as long as for a known one; no password has this hash."""

NO_LINK = "this link is unknown, was used, or is older than a day; ask for a new one"
"""What whoever opens such a link is told."""


class Person(Struct, frozen=True, kw_only=True):
    """Somebody with an account. `pseudonym` is what reviews, releases and the audit say; `login` stays here."""

    id: str
    login: str
    pseudonym: str
    role: DeskRole
    disabled: bool = False


def first_link(engine: Engine, *, clock: Clock) -> str | None:
    """A one-time token that creates the lead of a new desk, or None once there is anybody. Each call makes a fresh one
    and ends the former, so the one printed last is the one that works."""
    with writing(engine) as connection:
        take_turn(connection, "accounts")
        if connection.execute(select(func.count()).select_from(people)).scalar_one():
            return None
        connection.execute(update(links).where(links.c.used_at.is_(None)).values(expires_at=clock.now()))
        return _new_link(connection, role="lead", actor="system", now=clock.now())


def invite(engine: Engine, *, role: DeskRole, by: Person, clock: Clock) -> str:
    """A one-time token with which somebody creates their own account in `role`. Admins alone may; on a desk that has
    none yet its lead may too."""
    with writing(engine) as connection:
        if by.role != "admin":
            admins = select(func.count()).select_from(people).where(people.c.role == "admin")
            if by.role != "lead" or connection.execute(admins).scalar_one():
                raise Refused(f"a {by.role} may not invite people; an admin may")
        return _new_link(connection, role=role, actor=by.pseudonym, now=clock.now())


def link_role(engine: Engine, token: str, *, clock: Clock) -> DeskRole | None:
    """The role that this token gives, None when it is unknown, used or past its time."""
    with reading(engine) as connection:
        row = _open_link(connection, token, clock.now())
    return None if row is None else row.role


def use_link(
    engine: Engine, token: str, *, login: str, password: str, clock: Clock, then: Callable[[Connection, Person], T]
) -> T:
    """Create the account that the token stands for; the token is spent. Returns what `then` does, which is called in
    the same transaction: if it fails, the token is good. Raises `Refused`."""
    if link_role(engine, token, clock=clock) is None:  # hashing is dear on purpose: not for whoever makes up a token
        raise Refused(NO_LINK)
    login = _checked_login(login)
    hashed = _hashed(password, login)
    with writing(engine) as connection:
        take_turn(connection, "accounts")
        row = _open_link(connection, token, clock.now())
        if row is None:
            raise Refused(NO_LINK)
        connection.execute(update(links).where(links.c.token == row.token).values(used_at=clock.now()))
        person = _insert(connection, login=login, hashed=hashed, role=row.role, now=clock.now())
        done = then(connection, person)
        _record_account(connection, person, actor="link", now=clock.now())
    return done


def password_link(engine: Engine, *, login: str, by: str, clock: Clock) -> tuple[str, Person]:
    """A one-time token with which somebody who has forgotten their password chooses another, and whose it is. It ends
    the former one of the same person. `by` is who makes it, for the audit. Raises `Refused`."""
    now, name = clock.now(), login.strip().casefold()
    token = secrets.token_urlsafe(32)
    with writing(engine) as connection:
        row = connection.execute(select(people).where(people.c.login == name).with_for_update()).first()
        if row is None:
            raise Refused(f"nobody has the login {login!r}; {_known_logins(connection)}")
        if row.disabled_at is not None:
            raise Refused(f"the account {name!r} is closed; open it again on the desk's page of people first")
        connection.execute(delete(password_links).where(password_links.c.person == row.id))
        connection.execute(
            password_links.insert().values(token=digest(token), person=row.id, expires_at=now + LINK_LASTS)
        )
        audit.append(connection, at=now, actor=by, action="password-link-made", subject=row.pseudonym)
    return token, _person(row)


def password_link_holder(engine: Engine, token: str, *, clock: Clock) -> Person | None:
    """Who may choose a new password with this token; None when it is unknown, used, past its time, or the account is
    closed."""
    with reading(engine) as connection:
        row = _link_holder(connection, token, clock.now())
    return None if row is None else _person(row)


def use_password_link(
    engine: Engine, token: str, *, password: str, clock: Clock, then: Callable[[Connection, Person], T]
) -> T:
    """Give the holder of the token this password. The token is spent, every session of theirs ends, no browser is known
    for them, and no wait of a guesser is left. Returns what `then` does, which is called after that in the same
    transaction: if it fails, the token is good. Raises `Refused`."""
    holder = password_link_holder(engine, token, clock=clock)
    if holder is None:
        raise Refused(NO_LINK)
    hashed = _hashed(password, holder.login)
    with writing(engine) as connection:
        lock_rows(connection, people.c.id, [holder.id])
        row = _link_holder(connection, token, clock.now())
        spent = connection.execute(delete(password_links).where(password_links.c.token == digest(token)))
        if row is None or not spent.rowcount:
            raise Refused(NO_LINK)
        _change_password(connection, holder, hashed=hashed)
        done = then(connection, holder)
        _record_password(connection, holder, actor="link", now=clock.now())
    return done


def create(engine: Engine, *, login: str, password: str, role: DeskRole, by: str, clock: Clock) -> Person:
    """Create an account at once (the command line and the demo); `by` is who does it, for the audit."""
    if role not in ROLES:
        raise Refused(f"no such role {role!r}; known are {', '.join(ROLES)}")
    login = _checked_login(login)
    hashed = _hashed(password, login)
    with writing(engine) as connection:
        take_turn(connection, "accounts")
        person = _insert(connection, login=login, hashed=hashed, role=role, now=clock.now())
        _record_account(connection, person, actor=by, now=clock.now())
    return person


def sign_in(engine: Engine, *, login: str, password: str, clock: Clock, browser: str = "") -> Person | None:
    """The person, when login and password are right; None otherwise. See `signed_in`."""
    return signed_in(
        engine, login=login, password=password, clock=clock, browser=browser, then=lambda _, person: person
    )


def signed_in(
    engine: Engine,
    *,
    login: str,
    password: str,
    clock: Clock,
    browser: str = "",
    then: Callable[[Connection, Person], T],
) -> T | None:
    """What `then` returns of the person, when login and password are right; None otherwise, without saying what was
    wrong: guesses at a login that nobody has are counted and made to wait as others are. `browser` is the secret that
    the browser sent, if `desk.known_browsers` has given it one.

    `then` is called in a transaction in which the password is still the one that was checked and the account open:
    whoever changes the password or closes the account ends what it begins, or came first, and it is not called. It
    locks known browsers before sessions, as everybody does.

    Raises `Refused` while the login, or for its owner's browser that browser, makes guessers wait. The right password
    does not end the wait early: else waiting would tell nothing to a guesser who has it."""
    now, name = clock.now(), login.strip().casefold()
    with writing(engine) as connection:
        row = connection.execute(select(people).where(people.c.login == name).with_for_update()).first()
        known = known_browsers.known_for(connection, browser, "" if row is None else row.id, now=now)
        if row is None:
            counted = _unknown_login(connection, name, now)
            count = update(unknown_logins).where(unknown_logins.c.id == counted.id)
        elif known is None:
            counted, count = row, update(people).where(people.c.id == row.id)
        else:
            counted, count = known, update(browsers).where(browsers.c.id == known.id, browsers.c.person == row.id)
        _count_guess(connection, count, counted, now)  # before looking: parallel guesses are counted too
    right = _verified(_NOBODY if row is None else row.password, password)
    if row is None:
        with writing(engine) as connection:  # a second time, since the answer to a known login waits for it too
            sweep(connection, unknown_logins.c.id, unknown_logins.c.locked_until < now - GUESSES_FORGOTTEN_AFTER)
            connection.execute(count.values(failures=unknown_logins.c.failures))
        return None
    rehashed = _hasher.hash(password) if right and _hasher.check_needs_rehash(row.password) else row.password
    with writing(engine) as connection:
        this = people.c.id == row.id
        present = connection.execute(select(people).where(this).with_for_update()).one()
        if not right or present.password != row.password or present.disabled_at is not None:
            audit.append(connection, at=now, actor=row.pseudonym, action="sign-in-failed", subject=row.pseudonym)
            return None
        if rehashed != row.password:
            connection.execute(update(people).where(this).values(password=rehashed))
        connection.execute(count.values(failures=0, locked_until=None))
        done = then(connection, _person(present))
        audit.append(connection, at=now, actor=row.pseudonym, action="sign-in", subject=row.pseudonym)
    return done


def set_password(engine: Engine, *, person: Person, old: str, new: str, clock: Clock, browser: str = "") -> None:
    """Change one's own password; every session of the person ends, and of the browsers known for them only the one with
    this secret stays known. Raises `Refused`."""
    hashed = _hashed(new, person.login)

    def change(connection: Connection, who: Person) -> Person:
        _change_password(connection, who, hashed=hashed, keeping_browser=browser)
        _record_password(connection, who, actor=who.pseudonym, now=clock.now())
        return who

    if signed_in(engine, login=person.login, password=old, clock=clock, browser=browser, then=change) is None:
        raise Refused("the present password is not right")


def set_disabled(engine: Engine, *, person_id: str, disabled: bool, by: Person, clock: Clock) -> None:
    """Close an account (its sessions end at once) or open it again. The last lead or admin cannot close itself."""
    now = clock.now()
    with writing(engine) as connection:
        row = connection.execute(select(people).where(people.c.id == person_id)).first()
        if row is None:
            raise Refused(f"no such person {person_id!r}")
        if by.role != "admin" and not (by.role == "lead" and not _has_admin(connection)):
            raise Refused(f"a {by.role} may not close accounts; an admin may")
        if disabled and person_id == by.id:
            raise Refused("nobody closes their own account; ask another admin")
        connection.execute(update(people).where(people.c.id == person_id).values(disabled_at=now if disabled else None))
        if disabled:
            known_browsers.forget(connection, person_id)
            connection.execute(delete(sessions).where(sessions.c.person == person_id))
            connection.execute(delete(password_links).where(password_links.c.person == person_id))
        action = "account-closed" if disabled else "account-opened"
        audit.append(connection, at=now, actor=by.pseudonym, action=action, subject=row.pseudonym)


def listed(engine: Engine) -> list[Person]:
    """Everybody with an account, by login."""
    with reading(engine) as connection:
        return [_person(row) for row in connection.execute(select(people).order_by(people.c.login))]


def leads(engine: Engine) -> set[str]:
    """The pseudonyms of all leads, closed accounts too: what they decided stands."""
    return {person.pseudonym for person in listed(engine) if person.role == "lead"}


def _has_admin(connection: Connection) -> bool:
    found = select(people.c.id).where(people.c.role == "admin", people.c.disabled_at.is_(None)).limit(1)
    return connection.execute(found).first() is not None


def _new_link(connection: Connection, *, role: DeskRole, actor: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(links.insert().values(token=digest(token), role=role, made_at=now, expires_at=now + LINK_LASTS))
    audit.append(connection, at=now, actor=actor, action="link-made", subject=role)
    return token


def _open_link(connection: Connection, token: str, now: datetime) -> Row[Any] | None:
    return connection.execute(
        select(links).where(links.c.token == digest(token), links.c.used_at.is_(None), links.c.expires_at > now)
    ).first()


def _link_holder(connection: Connection, token: str, now: datetime) -> Row[Any] | None:
    """The row of the open account that the token is for."""
    return connection.execute(
        select(people)
        .join(password_links, password_links.c.person == people.c.id)
        .where(
            password_links.c.token == digest(token),
            password_links.c.expires_at > now,
            people.c.disabled_at.is_(None),
        )
    ).first()


def _known_logins(connection: Connection) -> str:
    """What an operator who mistyped a login needs."""
    rows = connection.execute(select(people.c.login, people.c.role).order_by(people.c.login)).all()
    if not rows:
        return "this desk has no people yet, and its next start writes the one-time link of the first (first_link)"
    return f"known are {', '.join(f'{row.login} ({row.role})' for row in rows)}"


def _change_password(connection: Connection, person: Person, *, hashed: str, keeping_browser: str = "") -> None:
    """The new password, without what was the former one's: sessions, known browsers but for the one with the secret
    `keeping_browser`, links for another password, the count of guesses."""
    connection.execute(
        update(people).where(people.c.id == person.id).values(password=hashed, failures=0, locked_until=None)
    )
    known_browsers.forget(connection, person.id, but=keeping_browser)
    connection.execute(delete(sessions).where(sessions.c.person == person.id))
    connection.execute(delete(password_links).where(password_links.c.person == person.id))


def _record_password(connection: Connection, person: Person, *, actor: str, now: datetime) -> None:
    audit.append(connection, at=now, actor=actor, action="password-changed", subject=person.pseudonym)


def _insert(connection: Connection, *, login: str, hashed: str, role: DeskRole, now: datetime) -> Person:
    if connection.execute(select(people.c.id).where(people.c.login == login)).first() is not None:
        raise Refused(f"the login {login!r} is taken")
    person = Person(id=secrets.token_hex(16), login=login, pseudonym=f"p-{secrets.token_hex(5)}", role=role)
    connection.execute(
        people.insert().values(
            id=person.id,
            login=login,
            pseudonym=person.pseudonym,
            role=role,
            password=hashed,
            created_at=now,
            failures=0,
        )
    )
    return person


def _record_account(connection: Connection, person: Person, *, actor: str, now: datetime) -> None:
    audit.append(
        connection, at=now, actor=actor, action="account-made", subject=person.pseudonym, detail={"role": person.role}
    )


def _unknown_login(connection: Connection, name: str, now: datetime) -> Row[Any]:
    """The count of guesses at a login that nobody has, locked. Some type their password there: of the hash so little is
    kept that it fits to very many."""
    guessed = {"id": digest(name)[:6], "failures": 0, "locked_until": now}
    as_it_is = {"failures": unknown_logins.c.failures}
    held = (
        insert(connection, unknown_logins).values(guessed).on_conflict_do_update(set_=as_it_is, index_elements=["id"])
    )
    return connection.execute(held.returning(*unknown_logins.c)).one()


def _count_guess(connection: Connection, count: Update, row: Row[Any], now: datetime) -> None:
    """Count a guess as a wrong one in the `row` that `count` updates. Raises `Refused` while it makes guessers wait."""
    if row.failures >= FREE_GUESSES and row.locked_until is not None and now < row.locked_until:  # else: no wait at all
        seconds = int((row.locked_until - now).total_seconds()) + 1
        raise Refused(f"too many wrong passwords; try again in {seconds} s")
    is_forgotten = row.locked_until is not None and now - row.locked_until > GUESSES_FORGOTTEN_AFTER
    failures = 1 if is_forgotten else row.failures + 1
    wait = timedelta(0)
    if failures >= FREE_GUESSES:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - FREE_GUESSES, 16))
    connection.execute(count.values(failures=failures, locked_until=now + wait))


def _checked_login(login: str) -> str:
    name = login.strip().casefold()
    if not 2 <= len(name) <= 64 or any(not ch.isprintable() or ch.isspace() for ch in name):
        raise Refused(f"a login has 2 to 64 characters and no spaces, this is {login!r}")
    return name


def _hashed(password: str, login: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise Refused(f"a password has at least {MIN_PASSWORD} characters, this has {len(password)}")
    if len(password) > 1024:
        raise Refused("a password has at most 1024 characters")
    plain = password.casefold()
    for word in (*CONTEXT_WORDS, login):
        if len(plain.replace(word, "")) < MIN_PASSWORD // 2:
            raise Refused(f"this password is little more than {word!r}; a guesser tries that first")
    if len(set(plain)) < 5:
        raise Refused("this password repeats the same few characters")
    return _hasher.hash(password)


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:1024])
    except VerificationError:
        return False


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        pseudonym=row.pseudonym,
        role=row.role,
        disabled=row.disabled_at is not None,
    )
