"""How a program is compiled for its backend: the one place that knows XLA's flags."""

import contextlib
import ctypes
import functools
import os
import warnings
from collections.abc import Callable
from typing import Any

import jax

from jaxspot.workers import core_count

KEEP_BARRIERS = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def compile_program(function: Callable, **jit_arguments: Any) -> Callable:
    """`jax.jit` for an outermost program.

    On CPU, XLA drops optimisation barriers before it fuses, so that a convolution written as shifts
    is computed again in every consumer (5 to 7 times slower). The option keeps them; XLA takes it
    on the outermost jit only, so that no function inside a program may use this.

    Products are computed in full float32: accelerators would round their inputs to 10 or 7 bits by
    default, and variances are small differences of large products.
    """
    options = KEEP_BARRIERS if jax.default_backend() == "cpu" else None

    @functools.wraps(function)
    def exact(*arguments):
        with jax.default_matmul_precision("highest"):
            return function(*arguments)

    return jax.jit(exact, compiler_options=options, **jit_arguments)


def keep_freed_memory() -> bool:
    """Tells glibc to keep large blocks for reuse; for commands, as it changes the whole process.

    XLA on CPU allocates its temporaries anew in each call; given back to the system they are
    faulted in page by page again (a quarter of a training step). Returns whether glibc took it.
    """
    mmap_max, trim_threshold, arena_max = -4, -1, -8
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    settings = ((mmap_max, 0), (trim_threshold, 2**31 - 1), (arena_max, 1))
    return all(mallopt(option, value) for option, value in settings)


def prepare_process(cache: str = "~/.cache/jaxspot/programs") -> None:
    """Sets a command's process up, before jax is asked for its devices.

    Freed memory is kept, compiled programs are cached on disk, and every core is a device of its
    own where there is no accelerator: folds side by side keep all cores busy, which the threads
    inside one program do not (1.4 times the epochs an hour on two cores). A cache folder that
    JAX_COMPILATION_CACHE_DIR names is kept; one that cannot be used is passed over without a word.
    """
    keep_freed_memory()
    with contextlib.suppress(RuntimeError):  # refused once jax runs, as in a notebook
        jax.config.update("jax_num_cpu_devices", core_count())
    if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    warnings.filterwarnings("ignore", "Error (read|writ)ing persistent compilation cache")
