"""`jaxspot tables`: see jaxspot/commands/tables.py."""

import sys

from jaxspot.commands.tables import main

if __name__ == "__main__":
    sys.exit(main())
