"""The real engine with its phone straight on the network: what the edge costs is seen beside it, in one run.

No program for anybody: one hostile datagram ends it.
"""

from __future__ import annotations

import sys
from typing import Any

from softphone import cli
from softphone.bootstrap import engine
from softphone.engine.sip.phone import Phone

BARE = ("-m", "tests.bench.bare_engine")


def _bare(*parts: Any) -> Phone:
    return Phone(*parts[:4])


if __name__ == "__main__":
    setattr(engine, "Phone", _bare)  # noqa: B010 - the module's own name for it
    sys.exit(cli.main())
