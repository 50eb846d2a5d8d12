"""The real engine whose database keeps hardly a page in memory, so that what grows is the engine's own.

SQLite keeps up to 2 MB for each connection: over hundreds of calls that would be all that can be seen.
"""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Engine, create_engine, event

from softphone import cli
from softphone.archive import catalog

SPARE = ("-m", "tests.journeys.spare_engine")


def _spare(*args: Any, **kwargs: Any) -> Engine:
    made = create_engine(*args, **kwargs)
    event.listen(made, "connect", _small)
    return made


def _small(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA cache_size=10")


if __name__ == "__main__":
    setattr(catalog, "create_engine", _spare)  # noqa: B010 - the module's own name for it
    sys.exit(cli.main())
