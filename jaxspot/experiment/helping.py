"""What the other processes of a run do: train and score with the first one, as it tells them."""

from pathlib import Path
from typing import Any

from jaxspot.errors import UserError
from jaxspot.experiment.control import CONTROL, control_part, control_work
from jaxspot.experiment.crossval import run_networks, train_and_leave_out
from jaxspot.experiment.run import TRAINING, describe_settings, run_work, stop_when_saved
from jaxspot.experiment.scores import Work, score_together
from jaxspot.experiment.settings import Settings, read_settings
from jaxspot.experiment.sweep import sweep_runs
from jaxspot.experiment.team import AGAIN, Ended, Gone, Helper, end_with_traceback
from jaxspot.training.failures import NoFoldLeft
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank, open_bank

SAYS = b"\nthe first process stops this one when its work is saved; again to stop now\n"


def help_run(config: Any, team: Helper) -> None:
    """Helps with the run that another process leads by `train_and_evaluate`, with equal `config`.

    Writes no more than the scores of its share of the videos. A first SIGINT or SIGTERM is left to
    the leader, which ends all when its work is saved; a second one stops at once.

    Raises:
      UserError: the leader has ended with an error, or what it names is not there.
    """
    settings = [read_settings(own) for _, own in sweep_runs(config)]
    told: dict[str, Any] = {}
    with stop_when_saved(says=SAYS):
        while True:
            try:
                what, values = team.hear()
            except Ended:
                return
            if what == "run":
                told = values
                refuse_other_settings(told, settings, team)
                continue
            try:
                help_part(what, settings[told["number"]], told, team)
            except NoFoldLeft:
                pass  # the leader says so
            except Gone:
                raise
            except UserError as error:
                team.meet(error)
                error.at_once = True
                raise
            except Exception as error:
                team.meet(error)
                end_with_traceback()


def refuse_other_settings(told: dict[str, Any], settings: list[Settings], team: Helper) -> None:
    """A UserError where this process would train in another way than the leader."""
    number = told["number"]
    error = UserError(
        f"has other settings, weights to start from or versions of packages than the first one;"
        f" {AGAIN}"
    )
    try:
        if number < len(settings) and describe_settings(settings[number]) == told["settings"]:
            error = None
    except UserError as missing:
        error = missing
    team.meet(error)
    if error:
        error.at_once = True
        raise error


def help_part(what: str, settings: Settings, told: dict[str, Any], team: Helper) -> None:
    """Trains and scores with the others; `what` and `told` are the leader's messages."""
    bank, networks, work = _part(what, settings, told, team)
    trained, networks, _ = train_and_leave_out(bank, networks, settings, work)
    score_together(bank, networks, trained.variables, (), settings, work)


def _part(what, settings, told, team) -> tuple[Bank, Networks, Work]:
    bank, workdir = open_bank(told["bank"]), Path(told["workdir"])
    nothing = lambda: None
    if what == TRAINING:
        epochs = Path(told["epochs"])
        return bank, run_networks(bank, settings), run_work(workdir, epochs, nothing, team)
    part = control_part(bank, settings)
    if what != CONTROL or part is None:
        raise UserError(f"the first process asks for {what!r}; start all with the same config")
    return *part, control_work(workdir, nothing, team)
