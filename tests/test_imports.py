import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import jaxspot

ROOT = Path(jaxspot.__file__).parent
ORDER = [
    "annotations",
    "video",
    "datasets",
    "synthetic",
    "network",
    "training",
    "spotting",
    "evaluation",
]
ORDER += ["report", "spotter", "experiment", "benchmark", "commands", "cli"]
NAMES = {
    "Protocol",
    "Training",
    "TwoStream",
    "align_face",
    "augment",
    "decide",
    "duration_table",
    "find_intervals",
    "fit_decision",
    "gather_pool",
    "k_frame",
    "local_contrast_normalise",
    "loso_folds",
    "match_intervals",
    "move_to_neutral_ratio",
    "open_bank",
    "read_cas_me2",
    "read_samm_lv",
    "read_video",
    "score_intervals",
    "score_video",
    "synthetic_bank",
    "train_loso",
    "weighted_bce",
}
WITHOUT_JAX = ["jaxspot", "jaxspot.errors", "jaxspot.cli", "jaxspot.commands.evaluate"]
WITHOUT_JAX += [f"jaxspot.evaluation.{name}" for name in ("matching", "f1", "protocols", "files")]


def modules():
    """Dotted name -> path of every module."""
    paths = sorted(ROOT.rglob("*.py"))
    name = lambda path: ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    return {name(path).removesuffix(".__init__"): path for path in paths}


def imported(path):
    """Dotted names of everything that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the order"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(name):
    """Where a module stands in the order; errors, memory, progress and workers come before all."""
    part = name.split(".")[1]
    return -1 if part in ("errors", "memory", "progress", "workers") else ORDER.index(part)


def users_of(library):
    inside = lambda name: name == library or name.startswith(f"{library}.")
    return {name for name, path in modules().items() if any(map(inside, imported(path)))}


def test_names_to_import():
    for name in NAMES:
        assert callable(getattr(jaxspot, name))
    assert set(dir(jaxspot)) >= NAMES
    assert set(dir(jaxspot)) >= NAMES
    with pytest.raises(AttributeError, match="no attribute 'TwoStreams'"):
        _ = jaxspot.TwoStreams


def test_from_import_works_in_a_new_process():
    code = f"from jaxspot import {', '.join(sorted(NAMES))}"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_every_name_leads_to_what_it_is_called():
    for name, home in jaxspot._HOMES.items():
        assert getattr(importlib.import_module(home), name).__name__ == name


def test_tables_video_scores_and_reports_need_no_jax():
    packages = tuple(f"jaxspot.{name}." for name in ("annotations", "video", "datasets", "report"))
    names = WITHOUT_JAX + [name for name in modules() if name.startswith(packages)]
    assert len(names) > 20
    code = f"""
import importlib, sys
for name in {names}:
    importlib.import_module(name)
    assert "jax" not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_imports_go_one_way():
    for name, path in modules().items():
        if name == "jaxspot":
            continue
        for target in imported(path):
            if target.startswith("jaxspot."):
                assert place(target) <= place(name), f"{name} imports {target}"


def test_flax_is_used_where_networks_are_and_orbax_once():
    networks = {"jaxspot.network.model", "jaxspot.evaluation.peers.softnet_network"}
    assert users_of("flax.linen") == networks
    assert users_of("orbax") == {"jaxspot.training.checkpoint"}
    assert users_of("flax") == {*networks, "jaxspot.training.state"}
