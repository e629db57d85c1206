"""The ledger of stories, which several analyze workers share"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desk.database.columns import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tellings",
        sa.Column(
            "place", sa.BigInteger(), autoincrement=False, nullable=False, comment="contracts.Telling: rises by one"
        ),
        sa.Column("key", sa.String(length=1024), nullable=False, comment="of the post"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("story", sa.String(length=64), nullable=False),
        sa.Column(
            "wording", sa.LargeBinary(), nullable=False, comment="hash of the words; empty: answered, not remembered"
        ),
        sa.Column(
            "sketch",
            sa.LargeBinary(),
            nullable=False,
            comment="MinHash of the words; empty: found by equal words alone",
        ),
        sa.Column("at", Instant(), nullable=False, comment="ingest time"),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_tellings")),
    )
    op.create_index(op.f("ix_tellings_key_revision"), "tellings", ["key", "revision"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_tellings_key_revision"), table_name="tellings")
    op.drop_table("tellings")
