"""`jaxspot build_weights`: see jaxspot/commands/build_weights.py."""

import sys

from jaxspot.commands.build_weights import main

if __name__ == "__main__":
    sys.exit(main())
