"""`jaxspot export`: see jaxspot/commands/export.py."""

import sys

from jaxspot.commands.export import main

if __name__ == "__main__":
    sys.exit(main())
