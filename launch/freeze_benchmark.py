"""Whether the generator still makes the frozen benchmark; with --write, freeze it anew.

    python launch/freeze_benchmark.py

Says of each bank whether it is as frozen (exit code 0) or in what it differs (1). A benchmark that
was frozen anew is another benchmark: every method is to be run again.
"""

import json
import sys

from configs.synthetic import benchmarks
from jaxspot.commands.running import command_parser, run
from jaxspot.files import write_text
from jaxspot.synthetic.frozen import FILE, difference, fingerprint, read_frozen


def freeze(argv):
    """Compare or write; a row a bank."""
    parser = command_parser("freeze_benchmark", __doc__, "")
    parser.add_argument("--write", action="store_true", help="freeze the benchmark as it is now")
    write = parser.parse_args(argv).write
    now = {name: fingerprint(scene) for name, scene in benchmarks().items()}
    if write:
        write_text(FILE, json.dumps(now, indent=1) + "\n")
    frozen, changed = read_frozen(), False
    for name, prints in now.items():
        what = difference(frozen[name], prints) if name in frozen else "not frozen yet"
        changed |= bool(what)
        print(f"{name}: {what or 'as frozen'} ({prints['sha256'][:12]})")
    return int(changed)


if __name__ == "__main__":
    sys.exit(run("freeze_benchmark", freeze, sys.argv[1:]))
