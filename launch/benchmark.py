"""`jaxspot benchmark`: see jaxspot/commands/benchmark.py."""

import sys

from jaxspot.commands.benchmark import main

if __name__ == "__main__":
    sys.exit(main())
