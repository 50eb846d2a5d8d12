"""`python -m softphone.edge`: how an engine starts it from a checkout or a wheel; a frozen program has `klartone edge`."""

from __future__ import annotations

import contextlib
import sys

from softphone.edge.process import main

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
