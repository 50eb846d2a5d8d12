"""`python -m softphone.edge`: how an engine starts it from a checkout or a wheel; a frozen program has `klartone edge`."""

from __future__ import annotations

import contextlib
import gc
import sys

from softphone.edge.process import main

if __name__ == "__main__":
    gc.freeze()  # what is loaded stays
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
