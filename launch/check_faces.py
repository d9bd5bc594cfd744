"""`jaxspot check_faces`: see jaxspot/commands/check_faces.py."""

import sys

from jaxspot.commands.check_faces import main

if __name__ == "__main__":
    sys.exit(main())
