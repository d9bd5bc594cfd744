"""Four CPU devices and the same drawn examples every time; compiled programs are kept.

`pytest --hypothesis-profile=search` draws many new examples instead.
"""

import os

import jax
import pytest
from hypothesis import settings
from tried import Tried

LONGEST = (
    "test_forms.py",
    "test_loso.py",
    "test_kill.py",
    "test_prepare_train.py",
    "test_leaks.py",
    "test_experiment.py",
    "test_epochs.py",
)

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile("fixed")


def pytest_configure(config):
    """Must come before anything asks jax for its devices.

    Every worker keeps its own programs: jax does not guard the folder against half-written files.
    The commands that its tests start find them there, not in the user's own folder.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    programs = str(config.cache.mkdir(f"programs-{worker}"))
    os.environ["JAX_COMPILATION_CACHE_DIR"] = programs
    jax.config.update("jax_num_cpu_devices", 4)
    jax.config.update("jax_compilation_cache_dir", programs)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.devices()  # from here on no command that a test runs can change their number


def pytest_addoption(parser):
    parser.addoption(
        "--write-inputs", action="store_true", help="write the tables of docs/inputs.md"
    )


@pytest.fixture(scope="session")
def tried(request):
    """Takes the rows of docs/inputs.md."""
    table = Tried(write=request.config.getoption("--write-inputs"))
    yield table
    table.finish()


def pytest_collection_modifyitems(items):
    """The files that take longest begin first, or one worker would be left alone with them."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))
