"""`python -m softphone.cli`: as `klartone`, without what a frozen program needs."""

from __future__ import annotations

import gc
import sys

from softphone.cli import main

if __name__ == "__main__":
    gc.disable()  # until the command is loaded, as in `softphone.__main__`
    sys.exit(main())
