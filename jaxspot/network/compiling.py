"""How a program is compiled for its backend: the one place that knows XLA's flags."""

import functools
from collections.abc import Callable
from typing import Any

import jax

from jaxspot.devices import on_cpu

KEEP_BARRIERS = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def compile_program(function: Callable, **jit_arguments: Any) -> Callable:
    """`jax.jit` for an outermost program.

    On CPU, XLA drops optimisation barriers before it fuses, so that a convolution written as shifts
    is computed again in every consumer (5 to 7 times slower). The option keeps them; XLA takes it
    on the outermost jit only, so that no function inside a program may use this.

    Products are computed in full float32: accelerators would round their inputs to 10 or 7 bits by
    default, and variances are small differences of large products.
    """
    options = KEEP_BARRIERS if on_cpu() else None

    @functools.wraps(function)
    def exact(*arguments):
        with jax.default_matmul_precision("highest"):
            return function(*arguments)

    return jax.jit(exact, compiler_options=options, **jit_arguments)
