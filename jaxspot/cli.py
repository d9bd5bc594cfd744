"""The console command `jaxspot`: its subcommands are the same as the scripts of `launch/`."""

import importlib
import sys

COMMANDS = {
    "train": "train all leave-one-subject-out folds on a frame bank, write tables and weights",
    "prepare": "turn videos or a released data set into a frame bank",
    "doctor": "check a frame bank or a data set's folders against what should be there",
    "spot": "find micro- and macro-expressions in video files",
    "evaluate": "score predicted intervals against labels",
    "tables": "put the tables of several runs together, data sets side by side",
    "benchmark": "measure speed beside what one would use instead",
}


def main() -> int:
    """Runs the command named by the first argument; returns the exit code."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print("usage: jaxspot COMMAND ...\n")
        print("\n".join(f"  {command:10}{about}" for command, about in COMMANDS.items()))
        print("\njaxspot COMMAND --help tells more.")
        return 0
    if name not in COMMANDS:
        print(f"jaxspot: no command {name!r}; take {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return importlib.import_module(f"jaxspot.commands.{name}").main(sys.argv[2:])
