"""`python -m softphone.cli`: as `klartone`, without what a frozen program needs."""

from __future__ import annotations

import sys

from softphone.cli import main

if __name__ == "__main__":
    sys.exit(main())
