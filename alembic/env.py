"""How Alembic runs the migrations: on the connection that it is given, or on a database file.

``storage.sql.schema`` gives a connection that is in a transaction already. On the command
line the file is HANDRAIL_DATABASE_URL: for writing migrations, not for using them.
"""

import os

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from alembic import context
from storage.sql.tables import metadata


def migrate(connection: Connection) -> None:
    """Runs the migrations on a connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite can take back a CREATE TABLE, and Alembic does not know it. MySQL cannot.
        transactional_ddl=connection.dialect.name not in {"mysql", "mariadb"},
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_database() -> None:
    """Runs the migrations on the database that the environment names."""
    url = make_url(os.environ.get("HANDRAIL_DATABASE_URL", "sqlite:///handrail.db"))
    engine = create_engine(url.set(drivername=url.get_backend_name()), poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection)


given = context.config.attributes.get("connection")
if given is None:
    migrate_database()
else:
    migrate(given)
