"""`jaxspot evaluate`: see jaxspot/commands/evaluate.py."""

import sys

from jaxspot.commands.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
