"""Alembic's way in: on the connection that ``storage.migrate`` hands over, or by hand on DATABASE_URL."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from storage.database import Database
from storage.models import Base


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # it cannot alter most of a table in place
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run_on_url() -> None:
    database = Database(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///holdfast.db"), statement_seconds=600)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await database.close()


if (given := context.config.attributes.get("connection")) is not None:
    _run(given)
else:
    asyncio.run(_run_on_url())
