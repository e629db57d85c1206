"""Browsers in which somebody has signed in before"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.database.columns import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_browsers",
        sa.Column("id", sa.String(length=64), nullable=False, comment="SHA-256 of the 256-bit number in the cookie"),
        sa.Column("person", sa.String(length=64), nullable=False, comment="who has signed in there"),
        sa.Column("seen_at", Instant(), nullable=False, comment="the last sign-in"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="wrong passwords in a row, of this browser alone"),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_known_browsers_person_people")),
        sa.PrimaryKeyConstraint("id", "person", name=op.f("pk_known_browsers")),
    )
    op.create_index(op.f("ix_known_browsers_person"), "known_browsers", ["person"])


def downgrade() -> None:
    op.drop_index(op.f("ix_known_browsers_person"), table_name="known_browsers")
    op.drop_table("known_browsers")
