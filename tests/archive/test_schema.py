"""`schema.sql` and the program's tables are what the migrations make. `python -m tests.archive.test_schema` writes it anew."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import StaticPool, create_engine, inspect

from softphone.archive.schema import migrations
from softphone.archive.schema.tables import metadata

FOLDER = Path(migrations.__file__).parent
SCHEMA = FOLDER / "schema.sql"


def made() -> tuple[str, dict[str, set[tuple[str, str]]]]:
    """By all migrations, one after the other, in an empty database: its statements, and each table's columns."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, migrations.HEAD)
        asked = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, tbl_name, name"
        statements = [str(one).strip() for one in connection.exec_driver_sql(asked).scalars()]
        tables = inspect(connection)
        columns = {
            name: {(one["name"], str(one["type"])) for one in tables.get_columns(name)}
            for name in tables.get_table_names()
        }
    engine.dispose()
    return "".join(f"{one};\n\n" for one in statements).rstrip("\n") + "\n", columns


def test_the_schema_that_is_written_down_is_the_one_that_the_migrations_make() -> None:
    assert made()[0] == SCHEMA.read_text("utf-8")


def test_the_program_s_tables_are_those_that_the_migrations_make() -> None:
    _, columns = made()
    del columns["alembic_version"]
    assert columns == {table.name: {(one.name, str(one.type)) for one in table.c} for table in metadata.sorted_tables}


if __name__ == "__main__":
    SCHEMA.write_text(made()[0], "utf-8")
