"""One-time links for people who have forgotten their password"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.database.columns import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_links",
        sa.Column("token", sa.String(length=64), nullable=False, comment="SHA-256 of the one-time token"),
        sa.Column("person", sa.String(length=64), nullable=False, comment="who may choose a new password"),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_password_links_person_people")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_password_links")),
    )
    op.create_index(op.f("ix_password_links_person"), "password_links", ["person"])


def downgrade() -> None:
    op.drop_index(op.f("ix_password_links_person"), table_name="password_links")
    op.drop_table("password_links")
