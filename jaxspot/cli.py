"""The console command `jaxspot`: its subcommands are the same as the scripts of `launch/`."""

import importlib
import sys

import jaxspot

COMMANDS = {
    "train": "train all leave-one-subject-out folds on a frame bank, write tables and weights",
    "prepare": "turn videos or a released data set into a frame bank",
    "doctor": "check a frame bank or a data set's folders against what should be there",
    "spot": "find micro- and macro-expressions in video files",
    "review": "make the review page of a spotted video again",
    "export": "turn a table of intervals into files of annotation tools",
    "live": "score a face while a camera films it",
    "evaluate": "score predicted intervals against labels",
    "score": "score a frame bank by existing weights, nothing trained",
    "tables": "put the tables of several runs together, data sets side by side",
    "check_faces": "measure methods on real faces: expressions warped into your own clips",
    "build_weights": "build the weights that come with jaxspot, or fine-tune them on your people",
    "export_model": "write the networks as StableHLO or ONNX, for programs without jaxspot",
    "benchmark": "measure speed beside what one would use instead",
}
HELP = """\
usage: jaxspot COMMAND ...

{commands}

jaxspot help COMMAND tells more, jaxspot --version prints the version.

examples:
  jaxspot train --config=synthetic:best --out=runs/demo
  jaxspot spot --weights=runs/demo --out=spotted talk.mp4"""


def main() -> int:
    """Runs the command named by the first argument; returns the exit code."""
    name, *words = sys.argv[1:] or ["help"]
    if name == "--version":
        print(f"jaxspot {jaxspot.__version__}")
        return 0
    if name in ("help", "--help", "-h"):
        if not words:
            about = "\n".join(f"  {name:15}{about}" for name, about in COMMANDS.items())
            print(HELP.format(commands=about))
            return 0
        name, words = words[0], ["--help"]
    name = name.replace("-", "_")
    if name not in COMMANDS:
        print(f"jaxspot: no command {name!r}; take {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return importlib.import_module(f"jaxspot.commands.{name}").main(words)
