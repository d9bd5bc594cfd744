"""The tour: clean as committed, written with public names, and run from first cell to last."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import jaxspot

FOLDER = Path(__file__).parents[1] / "launch"
NAME = "tour.ipynb"
TINY = """
SUBJECTS, SECONDS = 3, 10.0
WIDTHS = (4, 4, 4)
EPOCHS, STEPS, BATCH = 2, 3, 4
"""
CHECKS = """
from jaxspot.spotting.rule import decide

np.testing.assert_allclose(*lcn(pictures), atol=1e-4)
assert fold.held_out not in own and set(own) | {fold.held_out} == set(bank.videos.subject)
assert all(((0 < s) & (s < 1)).all() and len(s) == SECONDS * FPS for s in scores.values())
names = dict(subject=fold.held_out, video=held_out)
at_once = decide(scores[held_out], fps=FPS, decision=decision, **names)
np.testing.assert_array_equal(at_once[0], smooth)
pd.testing.assert_frame_equal(at_once[1], found)
print(sum(leaf.size for leaf in jax.tree.leaves(trained.variables["params"])))
"""


def read():
    return nbformat.read(FOLDER / NAME, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cleaned(notebook):
    """Without what running or an editor leaves."""
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if key in cell.metadata}
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return notebook


def test_it_is_committed_without_outputs_and_in_one_format():
    text = (FOLDER / NAME).read_text(encoding="utf-8")
    assert text == nbformat.writes(cleaned(read())) + "\n", "clear the outputs; see `cleaned`"


def test_cells_are_few_and_short():
    notebook = read()
    assert len(notebook.cells) <= 25
    assert max(len(cell.source.splitlines()) for cell in notebook.cells) <= 16
    assert all(cell.cell_type == "markdown" for cell in (notebook.cells[0], notebook.cells[-1]))


def test_it_imports_public_names_from_where_the_readme_says():
    plain = lambda source: "\n".join(x for x in source.splitlines() if not x.startswith("%"))
    trees = [ast.parse(plain(cell.source)) for cell in code_cells(read())]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    for node in imports:
        for name in (alias.name for alias in node.names):
            assert not any(part.startswith("_") for part in (*str(node.module).split("."), name))
            assert node.module == "jaxspot" or name not in dir(jaxspot)
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not {name for name in attributes if name.startswith("_")}


@pytest.fixture(scope="module")
def executed(tmp_path_factory, request):
    """The notebook with its outputs, run in small by a kernel that knows no user's settings."""
    notebook = read()
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    sizes = next(i for i, names in enumerate(tags) if "parameters" in names)
    notebook.cells.insert(sizes + 1, nbformat.v4.new_code_cell(TINY))
    notebook.cells.append(nbformat.v4.new_code_cell(CHECKS, id="learned"))
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(variable, str(home / variable))
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(request.config.cache.mkdir("programs-tour")))
        # Compiling costs more here than running.
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        place = {"metadata": {"path": str(FOLDER)}}
        NotebookClient(notebook, timeout=600, resources=place).execute()
    return {cell.id: cell.outputs for cell in code_cells(notebook)}


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("image/png", ["lcn", "pairs", "training", "scores-plot", "intervals"]),
        ("text/html", ["bank", "folds", "f1"]),
    ],
)
def test_figures_and_tables_are_shown(executed, kind, cells):
    for name in cells:
        shown = [output.get("data", {}) for output in executed[name]]
        assert [kind in data for data in shown].count(True) == 1, name


def test_the_summary_counts_what_is_learned(executed):
    (summary,) = executed["model"]
    (learned,) = executed["learned"]
    plain = re.sub(r"\x1b\[[\d;]*m", "", summary.text)
    (total,) = (line for line in plain.splitlines() if " Total " in line and "│" in line)
    assert f"│ {int(learned.text):,} " in total


def test_no_cell_warns(executed):
    streams = [output for outputs in executed.values() for output in outputs]
    assert [s.text for s in streams if s.get("name") == "stderr"] == []
