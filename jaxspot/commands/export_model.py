"""Writes the networks of a spotter as files for programs that have no jaxspot."""

from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser
from jaxspot.commands.spot import above_zero

EPILOG = """\
The input is a batch of frames, each with the frames that it is compared with: aligned gray faces,
112 x 112. The output is the mean score of the networks for ME and MaE, as in frames.csv. How faces
are aligned and how scores become intervals is not part of the model.

DIR then holds
  model.json           shapes, types and ranges of input and output, and where the other frames lie
  model.stablehlo      for `jax.export.deserialize`, on CPU, CUDA and TPU, for any batch
  model.stablehlo.txt  the same as text
  model.onnx           with --to=onnx (pip install 'jaxspot[onnx]'), for networks of the trunk
                       "motion", as those in jaxspot

examples:
  jaxspot export_model --out=exported
  jaxspot export_model --weights=runs/mine --to=stablehlo,onnx --fps=200 --out=exported
"""
FORMATS = ("stablehlo", "onnx")


@command
def main(argv: Sequence[str]) -> int:
    """Writes the files; returns the exit code."""
    parser = command_parser("export_model", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--weights", metavar="DIR", help="a run's folder or a file (default: those in jaxspot)")
    flag("--out", required=True, metavar="DIR", help="an empty folder for the files")
    flag("--to", default="stablehlo", metavar="FORMAT,...", help="stablehlo (default), onnx")
    flag(
        "--fps",
        type=above_zero,
        default=30.0,
        metavar="N",
        help="frame rate of the videos; it decides which frames are compared (default: 30)",
    )
    flags = parser.parse_args(argv)
    formats = tuple(dict.fromkeys(flags.to.split(",")))
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        parser.error(f"--to: {unknown[0]!r} is unknown; take {', '.join(FORMATS)}")
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.spotting.exported import export_model
    from jaxspot.spotting.saved_spotter import load_spotter

    spotter = load_spotter(flags.weights)
    named = flags.weights or "those that come with jaxspot"
    card = export_model(spotter, flags.out, fps=flags.fps, to=formats, weights=named)
    shape = ", ".join(map(str, card["input"]["shape"]))
    print(f"{card['networks']} networks, {flags.fps:g} fps: {card['input']['dtype']} ({shape})")
    print(f"open {flags.out}/model.json")
    return 0
