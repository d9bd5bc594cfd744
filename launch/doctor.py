"""`jaxspot doctor`: see jaxspot/commands/doctor.py."""

import sys

from jaxspot.commands.doctor import main

if __name__ == "__main__":
    sys.exit(main())
