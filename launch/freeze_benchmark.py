"""Says whether the generator still makes the frozen benchmark; with --write, freezes it anew.

Prints for each bank whether it is as frozen (exit code 0) or in what it differs (1). With --write,
jaxspot/synthetic/frozen.json is written. A benchmark that was frozen anew is another benchmark:
every method is to be run again.

example:
  jaxspot freeze_benchmark
"""

import json
import sys
from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser
from jaxspot.configs import config_module
from jaxspot.files import write_text
from jaxspot.synthetic.frozen import FILE, difference, fingerprint, read_frozen


@command
def main(argv: Sequence[str]) -> int:
    """Compares or writes; a row a bank."""
    parser = command_parser("freeze_benchmark", __doc__)
    parser.add_argument("--write", action="store_true", help="freeze it as it comes out now")
    flags = parser.parse_args(argv)
    scenes = config_module("synthetic").benchmarks()
    now = {name: fingerprint(scene) for name, scene in scenes.items()}
    if flags.write:
        write_text(FILE, json.dumps(now, indent=1) + "\n")
    frozen = read_frozen()
    changed = False
    for name, prints in now.items():
        what = difference(frozen[name], prints) if name in frozen else "not frozen yet"
        changed |= bool(what)
        print(f"{name}: {what or 'as frozen'} ({prints['sha256'][:12]})")
    return int(changed)


if __name__ == "__main__":
    sys.exit(main())
