"""Runs launch/tour.ipynb and stores it with its outputs, without timings and versions.

example:
  jaxspot store_tour
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from jaxspot.commands.running import command, command_parser


@command
def main(argv: Sequence[str]) -> int:
    """Overwrites the notebook once all of it has run."""
    command_parser("store_tour", __doc__).parse_args(argv)
    path = Path(__file__).with_name("tour.ipynb")
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, resources=place, record_timing=False).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
