"""`jaxspot spot`: see jaxspot/commands/spot.py."""

import sys

from jaxspot.commands.spot import main

if __name__ == "__main__":
    sys.exit(main())
