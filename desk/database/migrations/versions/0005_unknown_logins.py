"""Guesses at logins that nobody has"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.database.columns import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unknown_logins",
        sa.Column(
            "id",
            sa.String(length=64),
            nullable=False,
            comment="the first digits of the SHA-256 of a login that nobody has",
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="guesses in a row"),
        sa.Column("locked_until", Instant(), nullable=False, comment="or the last guess, while nobody waits for it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_logins")),
    )
    op.create_index(op.f("ix_unknown_logins_locked_until"), "unknown_logins", ["locked_until"])


def downgrade() -> None:
    op.drop_index(op.f("ix_unknown_logins_locked_until"), table_name="unknown_logins")
    op.drop_table("unknown_logins")
