"""`jaxspot export_model`: see jaxspot/commands/export_model.py."""

import sys

from jaxspot.commands.export_model import main

if __name__ == "__main__":
    sys.exit(main())
