"""Alembic's entry: runs the steps on the connection that `desk.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from desk.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
