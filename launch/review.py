"""`jaxspot review`: see jaxspot/commands/review.py."""

import sys

from jaxspot.commands.review import main

if __name__ == "__main__":
    sys.exit(main())
