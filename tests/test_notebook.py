"""The tour: stored with its outputs, written with public names, run from first cell to last."""

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
from jaxspot import find_intervals, from_span

np.testing.assert_allclose(*lcn(pictures), atol=1e-4)
assert fold.held_out not in own and set(own) | {fold.held_out} == set(bank.videos.subject)
assert all(((0 < s) & (s < 1)).all() and len(s) == SECONDS * FPS for s in scores.values())
for i, kind in enumerate(("ME", "MaE")):
    spans = find_intervals(smooth[:, i], threshold=fitted.threshold[i])
    rows = found.loc[found.kind == kind, ["onset", "offset"]].to_numpy()
    np.testing.assert_array_equal(np.column_stack(from_span(*spans.T)), rows)
print(sum(leaf.size for leaf in jax.tree.leaves(trained.variables["params"])))
"""
SHOWN = [
    ("image/png", ["lcn", "pairs", "training", "scores-plot", "intervals"]),
    ("text/html", ["bank", "folds", "f1"]),
]


def read():
    return nbformat.read(FOLDER / NAME, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shows(outputs, kind):
    return [kind in output.get("data", {}) for output in outputs].count(True) == 1


def test_it_is_stored_as_it_was_run_without_timings_and_versions():
    notebook = read()
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata == {"kernelspec": kernel, "language_info": {"name": "python"}}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    text = (FOLDER / NAME).read_text(encoding="utf-8")
    assert text == nbformat.writes(notebook) + "\n", "store it by `make tour`"
    assert len(text) < 700_000


@pytest.mark.parametrize(("kind", "cells"), SHOWN)
def test_its_figures_and_tables_are_stored(kind, cells):
    stored = {cell.id: cell.outputs for cell in code_cells(read())}
    assert all(shows(stored[name], kind) for name in cells)
    streams = [output for outputs in stored.values() for output in outputs]
    assert {s.get("name") for s in streams} <= {None, "stdout"}


def test_cells_are_few_and_short():
    notebook = read()
    assert len(notebook.cells) <= 25
    assert max(len(cell.source.splitlines()) for cell in notebook.cells) <= 16
    assert all(cell.cell_type == "markdown" for cell in (notebook.cells[0], notebook.cells[-1]))


def test_it_uses_what_help_of_jaxspot_lists():
    plain = lambda source: "\n".join(x for x in source.splitlines() if not x.startswith("%"))
    trees = [ast.parse(plain(cell.source)) for cell in code_cells(read())]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    for node in (node for node in nodes if isinstance(node, ast.ImportFrom)):
        assert node.module == "jaxspot"
        assert {alias.name for alias in node.names} <= set(jaxspot.__all__)
    modules = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    assert not [name for name in modules if name.partition(".")[0] == "jaxspot"]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not {name for name in attributes if name.startswith("_")}


@pytest.fixture(scope="module")
def executed(tmp_path_factory, request):
    """The notebook with its outputs, run in small by a kernel that knows no user's settings."""
    notebook = read()
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    sizes = next(i for i, names in enumerate(tags) if "parameters" in names)
    for cell in code_cells(notebook):
        cell.outputs = []
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


@pytest.mark.parametrize(("kind", "cells"), SHOWN)
def test_figures_and_tables_are_shown(executed, kind, cells):
    assert all(shows(executed[name], kind) for name in cells)


def test_the_summary_counts_what_is_learned(executed):
    (summary,) = executed["model"]
    (learned,) = executed["learned"]
    plain = re.sub(r"\x1b\[[\d;]*m", "", summary.text)
    (total,) = (line for line in plain.splitlines() if " Total " in line and "│" in line)
    assert f"│ {int(learned.text):,} " in total


def test_no_cell_warns(executed):
    streams = [output for outputs in executed.values() for output in outputs]
    assert [s.text for s in streams if s.get("name") == "stderr"] == []
