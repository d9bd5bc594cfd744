"""Sets up the process of a command: memory, devices, the cache of compiled programs."""

import contextlib
import ctypes
import os
import warnings
from importlib import util

import jax

from jaxspot.errors import UserError
from jaxspot.workers import core_count

CUDA_PLUGINS = ("jax_plugins.xla_cuda12", "jax_plugins.xla_cuda13")


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


def refuse_missing_cuda() -> None:
    """Raises UserError where JAX_PLATFORMS names CUDA first, and jax was installed without it.

    jax itself says so only when it first computes, long after the work began.
    """
    first = os.environ.get("JAX_PLATFORMS", "").partition(",")[0].strip()
    if first in ("cuda", "gpu") and not any(map(_is_installed, CUDA_PLUGINS)):
        raise UserError(
            f"JAX_PLATFORMS is {first!r}, but jax is installed without CUDA; unset it, or install"
            " jaxspot[cuda]"
        )


def _is_installed(module):
    try:
        return util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def prepare_process(
    cache: str = "~/.cache/jaxspot/programs", *, devices: int | None = None
) -> None:
    """Sets a command's process up, before jax is asked for its devices.

    Freed memory is kept, compiled programs are cached on disk, and every core is a device of its
    own where there is no accelerator: folds side by side keep all cores busy, which the threads
    inside one program do not (1.4 times the epochs an hour on two cores). A cache folder that
    JAX_COMPILATION_CACHE_DIR names is kept; one that cannot be used is passed over without a word.
    `devices` is 1 for one of several processes, each of which has a core. Everything is computed in
    32 bits, also under JAX_ENABLE_X64. UserError: JAX_PLATFORMS asks for CUDA, but jax has none.
    """
    refuse_missing_cuda()
    keep_freed_memory()
    jax.config.update("jax_enable_x64", False)
    with contextlib.suppress(RuntimeError):  # refused once jax runs, as in a notebook
        jax.config.update("jax_num_cpu_devices", devices or core_count())
    if not jax.config.jax_compilation_cache_dir:  # pyright: ignore[reportAttributeAccessIssue]
        jax.config.update("jax_compilation_cache_dir", os.path.expanduser(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    warnings.filterwarnings("ignore", "Error (read|writ)ing persistent compilation cache")
