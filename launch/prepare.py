"""`jaxspot prepare`: see jaxspot/commands/prepare.py."""

import sys

from jaxspot.commands.prepare import main

if __name__ == "__main__":
    sys.exit(main())
