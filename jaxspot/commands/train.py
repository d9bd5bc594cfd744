"""Trains every leave-one-subject-out fold, scores the held-out subjects, writes tables and weights.

Any setting of a config can be changed by its name: --config.training.epochs=10. Every epoch is
saved: an interrupted run (a crash, Ctrl-C, a time limit) continues with the same command and
--resume, and gives the same results.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags
from ml_collections import config_flags

from jaxspot.commands.running import as_called, command, command_parser, missing_library
from jaxspot.configs import config_module, describe_configs, load_config
from jaxspot.errors import UserError

EPILOG = """\
configs, each with the arguments that may follow the colon:
{configs}

jaxspot train --config=NAME --help shows what they mean. A config of your own is a .py file with a
function get_config; it may start from a shipped one (from jaxspot.configs import default).

DIR then holds report.html (tables and figures on one page), tables/, figures/, intervals.csv (what
was found, frames from 1), scores/ (of every frame), checkpoints/ (weights, which `spot` takes),
metrics.jsonl (losses), config.json and provenance.json.

examples:
  jaxspot train --config=synthetic:best --out=runs/demo
  jaxspot train --config=synthetic:best --out=runs/demo --resume
  jaxspot train --config=synthetic:best --config.seeds="(0,1,2)" --out=runs/seeds
  jaxspot train --config=default --config.data.bank=BANK --out=runs/mine
  jaxspot train --config=configs/synthetic.py:best --out=runs/demo
  srun jaxspot train --distributed --config=default --config.data.bank=BANK --out=runs/mine
"""
MISTAKES = (
    flags.Error,
    ImportError,
    SyntaxError,
    OSError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)


@command
def main(argv: Sequence[str]) -> int:
    """Trains and evaluates; returns the exit code."""
    config, flags = read_flags(argv)
    from jaxspot.process import prepare_process

    prepare_process()
    if flags.distributed is None:
        return lead(config, flags)
    from jaxspot.experiment.helping import help_run
    from jaxspot.experiment.team import Helper, join, make_team

    join(*read_place(flags.distributed))
    team = make_team()
    if isinstance(team, Helper):
        help_run(config, team)
        return 0
    with team.leading():
        return lead(config, flags, team=team)


def read_place(text: str) -> tuple[str, int | None, int | None]:
    """HOST:PORT, the processes and the number of this one; nothing where the flag is empty.

    Raises:
      UserError: the flag has another form.
    """
    if not text:
        return "", None, None
    address, *numbers = text.split(",")
    if len(numbers) != 2 or ":" not in address or not all(map(str.isdigit, numbers)):
        raise UserError(
            f"--distributed={text}: must be HOST:PORT,PROCESSES,NUMBER, such as node1:9911,2,0"
        )
    processes, number = map(int, numbers)
    if number >= processes:
        raise UserError(f"--distributed={text}: NUMBER must lie in 0..{processes - 1}")
    return address, processes, number


def lead(config: Any, flags: argparse.Namespace, *, team: Any = None) -> int:
    """Trains and prints the main table."""
    from jaxspot.experiment.run import train_and_evaluate
    from jaxspot.memory import peak_gigabytes
    from jaxspot.report.seeds import layout_seeds
    from jaxspot.report.tables import layout5, markdown

    out = flags.out
    table = train_and_evaluate(config, out, resume=flags.resume, team=team)
    name, layout = "Table 5", layout5
    if "variant" in table:
        name = "Table 7"
    elif "seed" in table:
        name, layout = "Seeds, mean and deviation", layout_seeds
    seen = "; oracle: test data were seen" if "oracle" in table else ""
    print(markdown(layout(table), title=f"\n{name}, data: {config.data.name} ({out}){seen}"))
    peak = peak_gigabytes()
    if peak:
        print(f"peak memory {peak:.1f} GB", file=sys.stderr)
    print(f"open {out}/report.html")
    return 0


def read_flags(argv: Sequence[str]) -> tuple[Any, argparse.Namespace]:
    """The config, and the flags beside it.

    Raises:
      UserError: a flag or a setting of the config that is missing, unknown or of the wrong type.
    """
    parser = command_parser("train", __doc__)
    flag = parser.add_argument
    flag("--config", metavar="NAME[:ARGUMENT,...]", help="a config below, or a .py file")
    flag("--out", "--workdir", metavar="DIR", help="an empty folder for all results")
    flag("--resume", action="store_true", help="go on with the run in DIR, if there is one")
    flag(
        "--distributed",
        nargs="?",
        const="",
        metavar="HOST:PORT,PROCESSES,NUMBER",
        help="one of several processes of this run; under SLURM or Open MPI without a value",
    )
    if {"-h", "--help"} & set(argv):
        parser.epilog = as_called(describe_config(argv))
    given, changes = parser.parse_known_args(argv)
    for name in ("config", "out"):
        if not getattr(given, name):
            raise UserError(f"--{name} is missing; see {parser.prog} --help")
    return flagged_config(given.config, changes), given


def flagged_config(name: str, changes: Sequence[str]) -> Any:
    """A config by its name or path, with the settings that flags change.

    Raises:
      UserError: a flag or a setting that is unknown or of the wrong type.
    """
    try:
        return changed_config(load_config(name), changes)
    except MISTAKES as error:
        if isinstance(error, ImportError) and missing_library(error):
            raise
        # ml_collections hands some messages over as the text of a string literal.
        message = str(error.args[0] if error.args else error).replace("\\n", " ")
        if message[:1] in ("'", '"') and message.endswith(message[0]):
            message = message[1:-1]
        if "Did you mean" in message or " " not in message:
            message = f"unknown setting {message}"
        raise UserError(" ".join(message.replace("\\'", "'").split())) from error


def describe_config(argv: Sequence[str]) -> str:
    """The header of the config file that is named, or what the configs and the results are."""
    named = [word.partition("=")[2] for word in argv if word.startswith("--config=")]
    if named:
        return str(config_module(named[-1].partition(":")[0]).__doc__)
    return EPILOG.format(configs=describe_configs())


def changed_config(config: Any, changes: Sequence[str]) -> Any:
    """A config with the settings that flags `--config.a.b=value` change, of the types they have.

    Raises:
      UserError: a word that is no such flag. What ml_collections raises is among MISTAKES.
    """
    words, values = ["train", *changes], flags.FlagValues()
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=words)
    rest = values(words)[1:]
    if rest:
        raise UserError(f"{rest[0]!r} is no flag; see --help")
    _ = config.data
    return values["config"].value
