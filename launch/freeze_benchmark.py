"""Whether the generator still makes the frozen benchmark; with --write, freeze it anew.

    python launch/freeze_benchmark.py

Says of each bank whether it is as frozen (exit code 0) or in what it differs (1). A benchmark that
was frozen anew is another benchmark: every method is to be run again.
"""

import json
import sys

from absl import app, flags

from configs.synthetic import benchmarks
from jaxspot.files import write_text
from jaxspot.synthetic.frozen import FILE, difference, fingerprint, read_frozen

WRITE = flags.DEFINE_bool("write", False, "freeze the benchmark as it comes out now")


def main(_):
    """Compare or write; a row a bank."""
    now = {name: fingerprint(scene) for name, scene in benchmarks().items()}
    if WRITE.value:
        write_text(FILE, json.dumps(now, indent=1) + "\n")
    frozen = read_frozen()
    changed = False
    for name, prints in now.items():
        what = difference(frozen[name], prints) if name in frozen else "not frozen yet"
        changed |= bool(what)
        print(f"{name}: {what or 'as frozen'} ({prints['sha256'][:12]})")
    sys.exit(int(changed))


if __name__ == "__main__":
    app.run(main)
