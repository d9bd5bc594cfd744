import ast
import importlib
import importlib.util
import inspect
import pydoc
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest

import jaxspot

ROOT = Path(jaxspot.__file__).parent
ORDER = ["annotations", "video", "motion", "datasets", "synthetic", "network", "training"]
ORDER += ["spotting", "evaluation", "exports", "baselines", "report", "review", "own_video"]
ORDER += ["live", "experiment", "faces"]
ORDER += ["configs", "benchmark", "commands", "cli"]
BELOW_ALL = ("devices", "errors", "files", "memory", "process", "progress", "storage", "workers")
NAMES = {
    "Augmentation",
    "Convolution",
    "IntervalRule",
    "Motion",
    "Protocol",
    "ScoredVideo",
    "Spotter",
    "Streams",
    "Training",
    "TwoStream",
    "align_face",
    "apply_rule",
    "augment",
    "duration_table",
    "find_intervals",
    "fit_rule",
    "from_span",
    "gather_pool",
    "k_frame",
    "load_spotter",
    "local_contrast_normalise",
    "loso_folds",
    "match_intervals",
    "move_to_neutral_ratio",
    "open_bank",
    "plan_networks",
    "read_cas_me2",
    "read_samm_lv",
    "read_video",
    "score_intervals",
    "score_video",
    "spot_videos",
    "synthetic_bank",
    "to_span",
    "train_loso",
    "weighted_bce",
    "write_review",
}
SNIPPET = """
from jaxspot import Convolution, k_frame
reveal_type(k_frame)
Convolution(pooling="avg")
from jaxspot import nothing
"""
WITHOUT_JAX = ["jaxspot", "jaxspot.errors", "jaxspot.cli", "jaxspot.commands.evaluate"]
WITHOUT_JAX += [f"jaxspot.evaluation.{name}" for name in ("matching", "f1", "score_files")]
WITHOUT_JAX += ["jaxspot.spotting.automated_iou"]


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
    """Where a module stands in the order; those of BELOW_ALL come before all.

    `motion.regions` only names regions, which a bank needs; the rest of `motion` needs videos.
    """
    if name.startswith("jaxspot.motion.regions"):
        return -1
    part = name.split(".")[1]
    return -1 if part in BELOW_ALL else ORDER.index(part)


def users_of(library):
    inside = lambda name: name == library or name.startswith(f"{library}.")
    return {name for name, path in modules().items() if any(map(inside, imported(path)))}


def test_names_to_import():
    for name in NAMES:
        assert callable(getattr(jaxspot, name))
    assert set(dir(jaxspot)) == set(jaxspot.__all__) == NAMES
    with pytest.raises(AttributeError, match="TwoStreams"):
        _ = jaxspot.TwoStreams


def test_from_import_works_in_a_new_process():
    code = f"from jaxspot import {', '.join(sorted(NAMES))}"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_every_name_leads_to_what_it_is_called():
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    nodes = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.asname: node.module for node in nodes for alias in node.names}
    assert set(homes) == NAMES
    for name, home in homes.items():
        found = getattr(jaxspot, name)
        assert found.__name__ == name and found.__module__ == f"jaxspot.{home}"


def test_help_lists_every_name_with_the_first_line_of_its_own_help():
    lines = jaxspot.__doc__.splitlines()
    listed = {
        name.strip(): first.strip()
        for name, first in pairwise(lines)
        if name.startswith("  ") and not name.startswith("    ")
    }
    assert listed == {
        name: inspect.getdoc(getattr(jaxspot, name)).splitlines()[0] for name in NAMES
    }
    shown = pydoc.render_doc(jaxspot, renderer=pydoc.plaintext).splitlines()
    for name, first in listed.items():
        assert shown[shown.index(f"      {name}") + 1].strip() == first


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert jaxspot.__version__ == project["project"]["version"]


def test_a_checkout_that_nobody_installed_can_be_imported(monkeypatch):
    monkeypatch.setattr(metadata.Distribution, "discover", lambda **_: iter(()))
    spec = importlib.util.spec_from_file_location("jaxspot", ROOT / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.__version__ == "0+unknown"


def test_editors_see_signatures_and_the_words_of_an_option(tmp_path):
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET, encoding="utf-8")
    words = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(snippet)]
    checked = subprocess.run(words, cwd=ROOT.parent, capture_output=True, text=True)
    lines = [line.strip() for line in checked.stdout.splitlines() if f"{snippet.name}:" in line]
    assert len(lines) == 3, checked.stdout + checked.stderr
    assert ":3:" in lines[0] and "inclusive: bool = True) -> dict[str, int]" in lines[0]
    assert ":4:" in lines[1] and "\"Literal['max', 'average']\"" in lines[1]
    assert ":5:" in lines[2] and '"nothing" is unknown import symbol' in lines[2]


def test_tables_video_scores_and_reports_need_no_jax():
    below = ("annotations", "video", "motion", "datasets", "report")
    packages = tuple(f"jaxspot.{name}." for name in below)
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
                if name.startswith("jaxspot.spotting."):
                    assert not target.startswith("jaxspot.training."), f"{name} imports {target}"


def test_videos_are_made_without_what_builds_the_heads():
    builder = "jaxspot.synthetic.heads_builder"
    assert any(name.startswith(f"{builder}.") for name in modules())
    assert {name for name in users_of(builder) if not name.startswith(builder)} == set()


def test_flax_is_used_where_networks_are_and_orbax_once():
    networks = {
        "jaxspot.network.convolution",
        "jaxspot.network.motion",
        "jaxspot.network.region_motion",
        "jaxspot.network.model",
        "jaxspot.baselines.softnet.network",
        "jaxspot.baselines.recurrent.network",
        "jaxspot.baselines.two_stream.network",
        "jaxspot.baselines.lbcnn.network",
    }
    assert users_of("flax.linen") == networks
    assert users_of("orbax") == {"jaxspot.storage"}
    assert users_of("flax") == {*networks, "jaxspot.training.state"}


def test_no_test_imports_from_another():
    """What several use is in a module of its own, or to run one file would read the others."""
    for path in Path(__file__).parent.glob("*.py"):
        taken = [name for name in imported(path) if name.startswith("test_")]
        assert not taken, f"{path.name} imports {', '.join(taken)}"
