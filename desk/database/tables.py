"""Every table of the desk. Migrations build them; a test holds the two together.

What the machine says (`alerts`, `notices`, `amendments`, `queue_entries`) is written only by `desk.book`; what people
did (`queue_posts`, `reviews`, `releases`, `outbox`, …) stands beside it and is never touched by the machine's upserts.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from desk.database.columns import Instant, Sequence64

__all__ = [
    "alerts",
    "amendments",
    "audit",
    "audit_head",
    "counters",
    "known_browsers",
    "links",
    "memory",
    "metadata",
    "notices",
    "outbox",
    "password_links",
    "people",
    "queue_entries",
    "queue_posts",
    "queue_skips",
    "releases",
    "review_undos",
    "reviews",
    "sessions",
    "tellings",
    "unknown_logins",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

memory = Table(
    "memory",
    metadata,
    Column("area", String(64), primary_key=True, comment="the table of contracts.Memory"),
    Column("key", String(512), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

tellings = Table(
    "tellings",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False, comment="contracts.Telling: rises by one"),
    Column("key", String(1024), nullable=False, comment="of the post"),
    Column("revision", BigInteger, nullable=False),
    Column("story", String(64), nullable=False),
    Column("wording", LargeBinary, nullable=False, comment="hash of the words; empty: answered, not remembered"),
    Column("sketch", LargeBinary, nullable=False, comment="MinHash of the words; empty: found by equal words alone"),
    Column("at", Instant, nullable=False, comment="ingest time"),
    Index(None, "key", "revision", unique=True),
)

# ── what the machine says ────────────────────────────────────────────────────────────────────────────────────────

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("rule", String(512), nullable=False),
    Column("rule_name", String(512), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("severity", String(32), nullable=False),
    Column("tlp", String(16), nullable=False),
    Column("shadow", Boolean, nullable=False),
    Column("detected_at", Instant, nullable=False),
    Column("settled_at", Instant, comment="event time at which it stopped being open; NULL while open"),
    Column("partition", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False, comment="of the hits partition that wrote the row"),
    Column("value", LargeBinary, nullable=False, comment="the whole hustings.types.Alert in wire form"),
    Index(None, "detected_at", "id"),
    Index(None, "state", "settled_at"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("alert", String(64), ForeignKey("alerts.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False, comment="wall time: since when people could know"),
    Column("state", String(16), nullable=False, comment="waiting | told | silent | declined"),
    Column("release", String(64), comment="the decision that answered it"),
    Column("value", LargeBinary, nullable=False, comment="hustings.types.Notice in wire form"),
    Index(None, "alert", "revision"),
    Index(None, "state", "alert"),
)

amendments = Table(
    "amendments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("rule", String(512), nullable=False),
    Column("anchor", Instant, nullable=False),
    Column("value", LargeBinary, nullable=False, comment="hustings.types.Amendment in wire form"),
    Index(None, "anchor"),
)

counters = Table(
    "counters",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

queue_entries = Table(
    "queue_entries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key", String(1024), nullable=False),
    Column("rule", String(512), nullable=False),
    Column("reason", String(512), nullable=False),
    Column("priority", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "key"),
)

# ── the queue ────────────────────────────────────────────────────────────────────────────────────────────────────

queue_posts = Table(
    "queue_posts",
    metadata,
    Column("key", String(1024), primary_key=True),
    Column("slot", Integer, primary_key=True, comment="0; a second, blind reading will be slot 1"),
    Column("priority", Float, nullable=False, comment="the highest of its entries"),
    Column("queued_at", Instant, nullable=False),
    Column("rank", Float, nullable=False, comment="priority with ageing folded in, see desk.queue.rank"),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    Column("done_at", Instant, comment="when a decision closed it; NULL while it waits"),
    Column("reviewer", String(64), comment="pseudonym of who holds the lease"),
    Column("token", BigInteger, nullable=False, server_default=text("0"), comment="fencing: rises with each claim"),
    Column("leased_until", Instant),
    Index(None, "done_at", "pinned", "rank"),
    Index(None, "reviewer"),
)

queue_skips = Table(
    "queue_skips",
    metadata,
    Column("key", String(1024), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("reviewer", String(64), primary_key=True),
    Column("at", Instant, nullable=False),
)

# ── what people decided ──────────────────────────────────────────────────────────────────────────────────────────

reviews = Table(
    "reviews",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("reviewer", String(64), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(1024), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("value", LargeBinary, nullable=False, comment="hustings.types.Review in wire form"),
    Index(None, "subject", "subject_id", "at"),
    Index(None, "reviewer", "at"),
    Index(None, "at"),
)

review_undos = Table(
    "review_undos",
    metadata,
    Column("review", String(64), ForeignKey("reviews.id"), primary_key=True),
    Column("at", Instant, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("alert", String(64), ForeignKey("alerts.id"), nullable=False),
    Column("action", String(16), nullable=False, comment="release | retract | decline"),
    Column("state", String(16), nullable=False, comment="proposed | done | replaced | undone"),
    Column("revision", BigInteger, nullable=False, comment="of the alert that was read"),
    Column("cover", Text, nullable=False, comment="JSON: the severity, marking and people that it covers"),
    Column("codes", Text, nullable=False, comment="JSON list"),
    Column("note", Text, nullable=False),
    Column("proposed_by", String(64), nullable=False, comment="pseudonym; `rule` where the rule waives the gate"),
    Column("proposed_role", String(16), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_role", String(16)),
    Column("done_at", Instant),
    Column("second_review_due", Instant, comment="one reviewer released a threat alone; NULL once a second looked"),
    Index(None, "alert", "proposed_at"),
    Index(None, "second_review_due"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", Sequence64, primary_key=True, autoincrement=True, comment="the order of rows"),
    Column("id", String(64), nullable=False, unique=True, comment="hash of alert, notice key, partner, channel"),
    Column("alert", String(64), ForeignKey("alerts.id"), nullable=False),
    Column("route", String(160), nullable=False, comment="partner/channel"),
    Column("release", String(64), ForeignKey("releases.id"), nullable=False, comment="the decision that lets it out"),
    Column("kind", String(16), nullable=False, comment="of the notice"),
    Column("tlp", String(16), nullable=False),
    Column("state", String(16), nullable=False, comment="queued | sending | retrying | delivered | dead | cancelled"),
    Column("due_at", Instant, comment="next attempt; while sending the end of the lease; NULL when finished"),
    Column("attempts", Integer, nullable=False),
    Column("token", BigInteger, nullable=False, comment="fencing: rises with each lease"),
    Column("detail", Text, nullable=False, comment="what the last attempt said"),
    Column("made_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("sha256", String(64), nullable=False, comment="of the message body: what exactly was sent"),
    Column("message", LargeBinary, nullable=False, comment="contracts.Message in wire form, redacted"),
    Index(None, "due_at", "route"),
    Index(None, "alert", "route", "sequence"),
    Index(None, "state"),
)

# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────

people = Table(
    "people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("login", String(64), nullable=False, unique=True, comment="case-folded"),
    Column("pseudonym", String(64), nullable=False, unique=True, comment="what reviews and audit rows say"),
    Column("role", String(16), nullable=False),
    Column("password", String(256), nullable=False, comment="Argon2id, PHC string"),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("failures", Integer, nullable=False, comment="wrong passwords in a row"),
    Column("locked_until", Instant),  # or the time of the last wrong password, while nobody waits
)

unknown_logins = Table(
    "unknown_logins",
    metadata,
    Column("id", String(64), primary_key=True, comment="the first digits of the SHA-256 of a login that nobody has"),
    Column("failures", Integer, nullable=False, comment="guesses in a row"),
    Column("locked_until", Instant, nullable=False, comment="or the last guess, while nobody waits for it"),
    Index(None, "locked_until"),
)

links = Table(
    "links",
    metadata,
    Column("token", String(64), primary_key=True, comment="SHA-256 of the one-time token"),
    Column("role", String(16), nullable=False, comment="of the account that it may create"),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

password_links = Table(
    "password_links",
    metadata,
    Column("token", String(64), primary_key=True, comment="SHA-256 of the one-time token"),
    Column("person", String(64), ForeignKey("people.id"), nullable=False, comment="who may choose a new password"),
    Column("expires_at", Instant, nullable=False),
    Index(None, "person"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True, comment="SHA-256 of the 256-bit id in the cookie"),
    Column("person", String(64), ForeignKey("people.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index(None, "person"),
)

known_browsers = Table(
    "known_browsers",
    metadata,
    Column("id", String(64), primary_key=True, comment="SHA-256 of the 256-bit number in the cookie"),
    Column("person", String(64), ForeignKey("people.id"), primary_key=True, comment="who has signed in there"),
    Column("seen_at", Instant, nullable=False, comment="the last sign-in"),
    Column("failures", Integer, nullable=False, comment="wrong passwords in a row, of this browser alone"),
    Column("locked_until", Instant),
    Index(None, "person"),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(1024), nullable=False),
    Column("detail", Text, nullable=False, comment="canonical JSON object"),
    Column("previous", String(64), nullable=False, comment="hash of the row before"),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1: the row that appending locks"),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
