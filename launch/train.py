"""`jaxspot train`: see jaxspot/commands/train.py."""

import sys

from jaxspot.commands.train import main

if __name__ == "__main__":
    sys.exit(main())
