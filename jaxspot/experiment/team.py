"""Several processes that work at one run: the first leads it, the others help where it tells them.

They talk through the key-value store of JAX's distributed runtime. The leader's messages are
numbered, and every helper reads all of them in order. Each helper's reports are numbered as well.
"""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import jax
from jax.sharding import Mesh

from jaxspot.devices import fold_mesh
from jaxspot.errors import UserError
from jaxspot.video.bank import Bank

POLL_MS = 5_000
GONE = "another process of this run has ended; start all of them again with --resume"


class Ended(UserError):
    """The leader has ended the run."""


class Gone(UserError):
    """Another process is not there any more; jax would wait for it at the end, and then abort."""

    at_once = True


class Team:
    """The processes of a run: this one alone."""

    helps = False
    """Whether another one leads, which writes all that is written once."""

    def mesh(self) -> Mesh:
        """The devices that train."""
        return fold_mesh()

    def agree(self, what: str, **values: Any) -> dict[str, Any]:
        """Values that the leader decides; a helper waits for them."""
        return values

    def meet(self, error: Exception | None = None) -> None:
        """The leader waits until every helper has come here; a helper tells whether it failed."""

    def share(self, bank: Bank) -> Bank:
        """The part of a bank's videos that this process scores."""
        return bank

    def leading(self) -> contextlib.AbstractContextManager[None]:
        """Ends the helpers with the block, with its error if there is one."""
        return contextlib.nullcontext()

    def watch(self) -> contextlib.AbstractContextManager[None]:
        """While the block computes with others, the end of one of them is a UserError."""
        return contextlib.nullcontext()


class OneOfSeveral(Team):
    """What the leader and the helpers have in common."""

    def __init__(self):
        self.said, self.heard = 0, 0

    def mesh(self) -> Mesh:
        """As of `Team`."""
        return fold_mesh(everywhere=True)

    def share(self, bank: Bank) -> Bank:
        """As of `Team`."""
        videos = bank.videos.iloc[jax.process_index() :: jax.process_count()]
        return dataclasses.replace(bank, videos=videos)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """As of `Team`."""
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise
            raise Gone(GONE) from None


class Leader(OneOfSeveral):
    """The first of several processes."""

    @contextlib.contextmanager
    def leading(self) -> Iterator[None]:
        """As of `Team`."""
        why, gone = "the first process has ended", False
        try:
            yield
            why = ""
        except UserError as error:
            why, gone = f"{why}: {error}", error.at_once
            raise
        finally:
            with contextlib.suppress(jax.errors.JaxRuntimeError):
                self.agree("end", why=why, gone=gone)

    def agree(self, what: str, **values: Any) -> dict[str, Any]:
        """As of `Team`."""
        store().key_value_set(f"leader/{self.said}", json.dumps([what, values]))
        self.said += 1
        return values

    def meet(self, error: Exception | None = None) -> None:
        """As of `Team`."""
        for number in range(1, jax.process_count()):
            line = json.loads(_wait(f"helper/{number}/{self.heard}"))
            if line:
                raise UserError(f"process {number}: {line}")
        self.heard += 1


class Helper(OneOfSeveral):
    """Any other process."""

    helps = True

    def agree(self, what: str, **values: Any) -> dict[str, Any]:
        """As of `Team`."""
        told, values = self.hear()
        if told != what:
            raise UserError(f"{what!r} was expected, the leader said {told!r}; {GONE}")
        return values

    def hear(self) -> tuple[str, dict[str, Any]]:
        """The leader's next message; Ended where it is the last."""
        what, values = json.loads(_wait(f"leader/{self.heard}"))
        self.heard += 1
        if what == "end":
            raise (Gone if values["gone"] else Ended)(values["why"])
        return what, values

    def meet(self, error: Exception | None = None) -> None:
        """As of `Team`."""
        place = f"helper/{jax.process_index()}/{self.said}"
        store().key_value_set(place, json.dumps(str(error) if error else ""))
        self.said += 1


def join(address: str = "", processes: int | None = None, number: int | None = None) -> None:
    """Joins the processes of a run, before jax is asked for its devices.

    `address` is HOST:PORT of process 0, `number` that of this process. SLURM and Open MPI tell all
    three. UserError: nothing tells them, or the others do not come.
    """
    try:
        jax.distributed.initialize(address or None, processes, number)
    except (ValueError, RuntimeError) as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(
            f"--distributed: the processes cannot join ({line}); start them by SLURM or Open MPI,"
            " or name --distributed=HOST:PORT,PROCESSES,NUMBER, the same HOST:PORT for all"
        ) from None


def make_team() -> Team:
    """The place of this process among those that `join` has joined."""
    if jax.process_count() == 1:
        return Team()
    return Helper() if jax.process_index() else Leader()


def store() -> Any:
    """The key-value store that all processes read and write."""
    from jax._src.distributed import global_state  # jax has no public name for it

    return global_state.client


def _wait(name):
    while True:
        try:
            return store().blocking_key_value_get(name, POLL_MS)
        except jax.errors.JaxRuntimeError as error:
            if "DEADLINE_EXCEEDED" not in str(error):
                raise Gone(GONE) from None
