"""`jaxspot score`: see jaxspot/commands/score.py."""

import sys

from jaxspot.commands.score import main

if __name__ == "__main__":
    sys.exit(main())
