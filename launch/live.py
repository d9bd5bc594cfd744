"""`jaxspot live`: see jaxspot/commands/live.py."""

import sys

from jaxspot.commands.live import main

if __name__ == "__main__":
    sys.exit(main())
