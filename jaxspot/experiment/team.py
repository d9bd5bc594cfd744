"""Several processes that work at one run: the first leads it, the others help where it tells them.

They talk through the key-value store of JAX's distributed runtime. The leader's messages are
numbered, and every helper reads all of them in order. Each helper's reports are numbered as well.
"""

import contextlib
import dataclasses
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

import jax
import numpy as np
from jax.sharding import Mesh

from jaxspot.devices import fold_mesh, shard_folds, to_host
from jaxspot.errors import UserError
from jaxspot.video.bank import Bank

POLL_MS = 5_000
END_S = 1.0  # for the helpers to read why, before jax ends them
AGAIN = "start all processes again with --resume"
GONE = f"another process of this run has ended or cannot be reached; {AGAIN}"


class Ended(UserError):
    """The leader has come to the end of the run."""


class Gone(UserError):
    """Another process has ended early; jax would wait for it at the end of this one, and abort."""

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

    def connect(self) -> None:
        """Lets the devices find each other: gloo waits 30 s for this, and for no more than this."""


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
            cause = str(error).partition("\n")[0]
            raise Gone(f"{GONE} ({cause})") from None

    def connect(self) -> None:
        """As of `Team`."""
        mesh = self.mesh()
        with self.watch():
            jax.block_until_ready(to_host(shard_folds(np.zeros(mesh.size), mesh)))


class Leader(OneOfSeveral):
    """The first of several processes."""

    @contextlib.contextmanager
    def leading(self) -> Iterator[None]:
        """As of `Team`."""
        try:
            yield
        except UserError as error:
            self._end(f"the first process has ended: {error}")
            error.at_once = True
            raise
        except Exception:
            self._end("the first process has ended")
            end_with_traceback()
        self._end("")

    def _end(self, why):
        with contextlib.suppress(jax.errors.JaxRuntimeError):
            self.agree("end", why=why)
        if why:
            time.sleep(END_S)

    def agree(self, what: str, **values: Any) -> dict[str, Any]:
        """As of `Team`."""
        store().key_value_set(f"leader/{self.said}", json.dumps([what, values]))
        self.said += 1
        return values

    def meet(self, error: Exception | None = None) -> None:
        """As of `Team`."""
        for number in range(1, jax.process_count()):
            line = json.loads(_wait(f"helper/{number}/{self.heard}"))
            if line is not None:
                raise UserError(f"process {number}: {line}")
        self.heard += 1


class Helper(OneOfSeveral):
    """Any other process."""

    helps = True

    def agree(self, what: str, **values: Any) -> dict[str, Any]:
        """As of `Team`."""
        told, values = self.hear()
        if told != what:
            raise UserError(f"the first process said {told!r}, not {what!r}; {AGAIN}")
        return values

    def hear(self) -> tuple[str, dict[str, Any]]:
        """The leader's next message; Ended where it is the last."""
        what, values = json.loads(_wait(f"leader/{self.heard}"))
        self.heard += 1
        if what == "end":
            raise (Gone if values["why"] else Ended)(values["why"])
        return what, values

    def meet(self, error: Exception | None = None) -> None:
        """As of `Team`."""
        place = f"helper/{jax.process_index()}/{self.said}"
        line = str(error) if isinstance(error, UserError) else error and repr(error)
        store().key_value_set(place, json.dumps(line))
        self.said += 1


def join(address: str = "", processes: int | None = None, number: int | None = None) -> None:
    """Joins the processes of a run, before jax is asked for its devices.

    `address` is HOST:PORT of process 0, `number` that of this process. SLURM and Open MPI tell all
    three. UserError: nothing tells them, or the others do not come.
    """
    jax.config.update("jax_enable_preemption_service", False)  # it would take over SIGTERM
    try:
        jax.distributed.initialize(address or None, processes, number)
    except (ValueError, RuntimeError) as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(
            f"--distributed: the processes cannot join ({line}); start them by SLURM or Open MPI,"
            " or name --distributed=HOST:PORT,PROCESSES,NUMBER, the same HOST:PORT for all"
        ) from None


def end_with_traceback() -> NoReturn:
    """Ends this process at once, for an error that no user can mend."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


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
