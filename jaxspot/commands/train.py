"""Trains every leave-one-subject-out fold, scores the held-out subjects, writes tables and weights.

  python launch/train.py --config=configs/synthetic.py:best --workdir=runs/demo
  python launch/train.py --config=configs/default.py --config.data.bank=BANK --workdir=runs/mine

Any setting of the config can be changed by its name: --config.training.epochs=10. The files of
configs/ say what each setting means and what may stand behind the colon.
"""

import sys
from collections.abc import Sequence
from typing import Any

from absl import flags
from ml_collections import config_flags

from jaxspot.commands.running import run
from jaxspot.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Trains and evaluates; returns the exit code."""
    return run("train", train, argv)


def define_flags() -> flags.FlagValues:
    """The flags of this command."""
    values = flags.FlagValues()
    config_flags.DEFINE_config_file(
        "config", help_string="a file of configs/, with :arguments", flag_values=values
    )
    flags.DEFINE_string("workdir", None, "an empty folder for all results", flag_values=values)
    flags.DEFINE_bool("help", False, "show this help", short_name="h", flag_values=values)
    return values


def train(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    values = define_flags()
    try:
        rest = values(["train", *argv])[1:]
    except (flags.Error, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(str(error).strip().splitlines()[0]) from error
    if values["help"].value:
        print(f"{__doc__}\n{values.get_help()}")
        return 0
    if rest:
        raise UserError(f"{rest[0]!r} is no flag; see --help")
    for name in ("config", "workdir"):
        if values[name].value is None:
            raise UserError(f"--{name} is missing; see --help")
    from jaxspot.network.compiling import prepare_process

    prepare_process()
    from jaxspot.experiment.run import train_and_evaluate
    from jaxspot.report.tables import layout5, markdown

    config: Any = values["config"].value
    workdir: Any = values["workdir"].value
    table = train_and_evaluate(config, workdir)
    print(markdown(layout5(table), title=f"\nTable 5, data: {config.data.name} ({workdir})"))
    sys.stdout.flush()
    return 0
