"""Trains every leave-one-subject-out fold, scores the held-out subjects, writes tables and weights.

  python launch/train.py --config=configs/synthetic.py:best --workdir=runs/demo
  python launch/train.py --config=configs/default.py --config.data.bank=BANK --workdir=runs/mine
  python launch/train.py --config=configs/synthetic.py:best --workdir=runs/demo --resume
  python launch/train.py --config=configs/synthetic.py:best --config.seeds="(0,1,2)" \\
      --workdir=runs/seeds
  python launch/train.py --config=configs/ablations.py --workdir=runs/ablations

Any setting of the config can be changed by its name: --config.training.epochs=10. The files of
configs/ say what each setting means and what may stand behind the colon.

Every epoch is saved. A run that was cut (a crash, Ctrl-C, the end of a time slot) is resumed by
the same command with --resume, to the same numbers.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import config_flags

from jaxspot.commands.running import run
from jaxspot.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    """Trains and evaluates; returns the exit code."""
    return run("train", train, argv)


def define_flags(argv: Sequence[str]) -> flags.FlagValues:
    """The flags of this command; those of single settings are read off the arguments."""
    values = flags.FlagValues()
    config_flags.DEFINE_config_file(
        "config",
        help_string="a file of configs/, with :arguments",
        flag_values=values,
        sys_argv=["train", *argv],
    )
    flags.DEFINE_string("workdir", None, "an empty folder for all results", flag_values=values)
    flags.DEFINE_bool(
        "resume", False, "go on with the run in --workdir, if there is one", flag_values=values
    )
    return values


def train(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    given = read_flags(argv)
    if given is None:
        return 0
    config, workdir, resume = given
    from jaxspot.network.compiling import prepare_process

    prepare_process()
    from jaxspot.experiment.run import train_and_evaluate
    from jaxspot.memory import peak_gigabytes
    from jaxspot.report.seeds import layout_seeds
    from jaxspot.report.tables import layout5, markdown

    table = train_and_evaluate(config, workdir, resume=resume)
    name, layout = "Table 5", layout5
    if "variant" in table:
        name = "Table 7"
    elif "seed" in table:
        name, layout = "Seeds, mean and deviation", layout_seeds
    seen = "; oracle: test data were seen" if "oracle" in table else ""
    print(markdown(layout(table), title=f"\n{name}, data: {config.data.name} ({workdir}){seen}"))
    peak = peak_gigabytes()
    if peak:
        print(f"peak memory {peak:.1f} GB", file=sys.stderr)
    return 0


def refuse_config_path(argv: Sequence[str]) -> None:
    """Refuses a config that is no Python file, which would be reported at length.

    Raises:
      UserError: naming it.
    """
    for flag in argv:
        name, _, value = flag.lstrip("-").partition("=")
        path = Path(value.partition(":")[0])
        if name == "config" and value and (path.suffix != ".py" or not path.is_file()):
            what = "no such file" if path.suffix == ".py" else "is no config"
            raise UserError(f"{path}: {what}; name a .py file such as configs/synthetic.py")


def read_flags(argv: Sequence[str]) -> tuple[Any, str, bool] | None:
    """Config, workdir and whether to resume; None where only help was asked for.

    Raises:
      UserError: a flag or a field of the config that is missing, unknown or of the wrong type.
    """
    values = define_flags(argv)
    if {"-h", "--help"} & set(argv):
        print(f"{__doc__}\n{values.get_help()}")
        return None
    refuse_config_path(argv)
    try:
        rest = values(["train", *argv])[1:]
        config, workdir = values["config"].value, values["workdir"].value
        _ = config and config.data
    except (
        flags.Error,
        ImportError,
        SyntaxError,
        OSError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        # ml_collections hands some messages over as the text of a string literal.
        message = str(error.args[0] if error.args else error).replace("\\n", " ")
        if message[:1] in ("'", '"') and message.endswith(message[0]):
            message = message[1:-1]
        if "Did you mean" in message:
            message = f"unknown setting {message}"
        raise UserError(" ".join(message.replace("\\'", "'").split())) from error
    if rest:
        raise UserError(f"{rest[0]!r} is no flag; see --help")
    for name, value in (("config", config), ("workdir", workdir)):
        if value in (None, ""):
            raise UserError(f"--{name} is missing; see --help")
    return config, str(workdir), bool(values["resume"].value)
