"""The first schema of the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.database.columns import Instant, Sequence64

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=512), nullable=False),
        sa.Column("rule_name", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("tlp", sa.String(length=16), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("detected_at", Instant(), nullable=False),
        sa.Column(
            "settled_at", Instant(), nullable=True, comment="event time at which it stopped being open; NULL while open"
        ),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="of the hits partition that wrote the row"),
        sa.Column("value", sa.LargeBinary(), nullable=False, comment="the whole hustings.types.Alert in wire form"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_detected_at_id"), "alerts", ["detected_at", "id"], unique=False)
    op.create_index(op.f("ix_alerts_state_settled_at"), "alerts", ["state", "settled_at"], unique=False)
    op.create_table(
        "amendments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=512), nullable=False),
        sa.Column("anchor", Instant(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False, comment="hustings.types.Amendment in wire form"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendments")),
    )
    op.create_index(op.f("ix_amendments_anchor"), "amendments", ["anchor"], unique=False)
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=1024), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="canonical JSON object"),
        sa.Column("previous", sa.String(length=64), nullable=False, comment="hash of the row before"),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_head",
        sa.Column(
            "id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1: the row that appending locks"
        ),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "counters",
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", "name", name=op.f("pk_counters")),
    )
    op.create_table(
        "links",
        sa.Column("token", sa.String(length=64), nullable=False, comment="SHA-256 of the one-time token"),
        sa.Column("role", sa.String(length=16), nullable=False, comment="of the account that it may create"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_links")),
    )
    op.create_table(
        "memory",
        sa.Column("area", sa.String(length=64), nullable=False, comment="the table of contracts.Memory"),
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("area", "key", name=op.f("pk_memory")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False, comment="case-folded"),
        sa.Column("pseudonym", sa.String(length=64), nullable=False, comment="what reviews and audit rows say"),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=False, comment="Argon2id, PHC string"),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, comment="wrong passwords in a row"),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_people_pseudonym")),
    )
    op.create_table(
        "queue_entries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("rule", sa.String(length=512), nullable=False),
        sa.Column("reason", sa.String(length=512), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_entries")),
    )
    op.create_index(op.f("ix_queue_entries_key"), "queue_entries", ["key"], unique=False)
    op.create_table(
        "queue_posts",
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False, comment="0; a second, blind reading will be slot 1"),
        sa.Column("priority", sa.Float(), nullable=False, comment="the highest of its entries"),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False, comment="priority with ageing folded in, see desk.queue.rank"),
        sa.Column("pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("done_at", Instant(), nullable=True, comment="when a decision closed it; NULL while it waits"),
        sa.Column("reviewer", sa.String(length=64), nullable=True, comment="pseudonym of who holds the lease"),
        sa.Column(
            "token",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="fencing: rises with each claim",
        ),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key", "slot", name=op.f("pk_queue_posts")),
    )
    op.create_index(
        op.f("ix_queue_posts_done_at_pinned_rank"), "queue_posts", ["done_at", "pinned", "rank"], unique=False
    )
    op.create_index(op.f("ix_queue_posts_reviewer"), "queue_posts", ["reviewer"], unique=False)
    op.create_table(
        "queue_skips",
        sa.Column("key", sa.String(length=1024), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", "slot", "reviewer", name=op.f("pk_queue_skips")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=1024), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False, comment="hustings.types.Review in wire form"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_at"), "reviews", ["at"], unique=False)
    op.create_index(op.f("ix_reviews_reviewer_at"), "reviews", ["reviewer", "at"], unique=False)
    op.create_index(op.f("ix_reviews_subject_subject_id_at"), "reviews", ["subject", "subject_id", "at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("alert", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False, comment="wall time: since when people could know"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting | told | silent | declined"),
        sa.Column("release", sa.String(length=64), nullable=True, comment="the decision that answered it"),
        sa.Column("value", sa.LargeBinary(), nullable=False, comment="hustings.types.Notice in wire form"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_notices_alert_alerts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_alert_revision"), "notices", ["alert", "revision"], unique=False)
    op.create_index(op.f("ix_notices_state_alert"), "notices", ["state", "alert"], unique=False)
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("alert", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False, comment="release | retract | decline"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="proposed | done | replaced | undone"),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the alert that was read"),
        sa.Column("cover", sa.Text(), nullable=False, comment="JSON: the severity, marking and people that it covers"),
        sa.Column("codes", sa.Text(), nullable=False, comment="JSON list"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "proposed_by",
            sa.String(length=64),
            nullable=False,
            comment="pseudonym; `rule` where the rule waives the gate",
        ),
        sa.Column("proposed_role", sa.String(length=16), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_role", sa.String(length=16), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column(
            "second_review_due",
            Instant(),
            nullable=True,
            comment="one reviewer released a threat alone; NULL once a second looked",
        ),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_releases_alert_alerts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_index(op.f("ix_releases_alert_proposed_at"), "releases", ["alert", "proposed_at"], unique=False)
    op.create_index(op.f("ix_releases_second_review_due"), "releases", ["second_review_due"], unique=False)
    op.create_table(
        "review_undos",
        sa.Column("review", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["review"], ["reviews.id"], name=op.f("fk_review_undos_review_reviews")),
        sa.PrimaryKeyConstraint("review", name=op.f("pk_review_undos")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False, comment="SHA-256 of the 256-bit id in the cookie"),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_sessions_person_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_person"), "sessions", ["person"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("sequence", Sequence64, autoincrement=True, nullable=False, comment="the order of rows"),
        sa.Column("id", sa.String(length=64), nullable=False, comment="hash of alert, notice key, partner, channel"),
        sa.Column("alert", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=160), nullable=False, comment="partner/channel"),
        sa.Column("release", sa.String(length=64), nullable=False, comment="the decision that lets it out"),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="of the notice"),
        sa.Column("tlp", sa.String(length=16), nullable=False),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="queued | sending | retrying | delivered | dead | cancelled",
        ),
        sa.Column(
            "due_at",
            Instant(),
            nullable=True,
            comment="next attempt; while sending the end of the lease; NULL when finished",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False, comment="fencing: rises with each lease"),
        sa.Column("detail", sa.Text(), nullable=False, comment="what the last attempt said"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the message body: what exactly was sent"),
        sa.Column("message", sa.LargeBinary(), nullable=False, comment="contracts.Message in wire form, redacted"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_outbox_alert_alerts")),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_outbox_release_releases")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index(op.f("ix_outbox_alert_route_sequence"), "outbox", ["alert", "route", "sequence"], unique=False)
    op.create_index(op.f("ix_outbox_due_at_route"), "outbox", ["due_at", "route"], unique=False)
    op.create_index(op.f("ix_outbox_state"), "outbox", ["state"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_state"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_due_at_route"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_alert_route_sequence"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_sessions_person"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("review_undos")
    op.drop_index(op.f("ix_releases_second_review_due"), table_name="releases")
    op.drop_index(op.f("ix_releases_alert_proposed_at"), table_name="releases")
    op.drop_table("releases")
    op.drop_index(op.f("ix_notices_state_alert"), table_name="notices")
    op.drop_index(op.f("ix_notices_alert_revision"), table_name="notices")
    op.drop_table("notices")
    op.drop_index(op.f("ix_reviews_subject_subject_id_at"), table_name="reviews")
    op.drop_index(op.f("ix_reviews_reviewer_at"), table_name="reviews")
    op.drop_index(op.f("ix_reviews_at"), table_name="reviews")
    op.drop_table("reviews")
    op.drop_table("queue_skips")
    op.drop_index(op.f("ix_queue_posts_reviewer"), table_name="queue_posts")
    op.drop_index(op.f("ix_queue_posts_done_at_pinned_rank"), table_name="queue_posts")
    op.drop_table("queue_posts")
    op.drop_index(op.f("ix_queue_entries_key"), table_name="queue_entries")
    op.drop_table("queue_entries")
    op.drop_table("people")
    op.drop_table("memory")
    op.drop_table("links")
    op.drop_table("counters")
    op.drop_table("audit_head")
    op.drop_table("audit")
    op.drop_index(op.f("ix_amendments_anchor"), table_name="amendments")
    op.drop_table("amendments")
    op.drop_index(op.f("ix_alerts_state_settled_at"), table_name="alerts")
    op.drop_index(op.f("ix_alerts_detected_at_id"), table_name="alerts")
    op.drop_table("alerts")
