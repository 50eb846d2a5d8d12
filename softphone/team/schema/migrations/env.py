"""Alembic's own entry: runs the steps on the connection it is given, inside that connection's transaction."""

from alembic import context

from softphone.team.schema import SCHEMA

context.configure(
    connection=context.config.attributes["connection"], transactional_ddl=True, version_table_schema=SCHEMA
)
context.run_migrations()
