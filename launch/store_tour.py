"""Runs launch/tour.ipynb and stores it with its outputs, without timings and versions.

python launch/store_tour.py
"""

from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Overwrites the notebook once all of it has run."""
    path = Path(__file__).with_name("tour.ipynb")
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, resources=place, record_timing=False).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
