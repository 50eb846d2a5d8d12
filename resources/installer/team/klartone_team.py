"""What the service's package starts with: `klartone-team serve` is `klartone team serve`."""

import sys

from softphone.cli import main

if __name__ == "__main__":
    sys.exit(main(["team", *sys.argv[1:]]))
