"""What a frozen program starts with. The package itself is installed where it is built."""

import sys

from softphone.__main__ import main

sys.exit(main())
