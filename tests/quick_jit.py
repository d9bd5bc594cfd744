"""Programs whose compiling costs more than their running."""

import jax


def quick_jit(function, **options):
    """`jax.jit` without LLVM's optimisations: for two formulas in float64 that must agree."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0}, **options)
