"""The rows of a benchmark as a Markdown table."""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

import jax

from jaxspot.benchmark.measure import Machine, Row


def table(rows: Sequence[Row]) -> str:
    """Columns: what, ours, peer, its value, ratio, and ours over what the machine would allow."""
    cells = []
    for row in rows:
        peer = "" if row.peer_value is None else number(row.peer_value)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        slower = [row.value, row.bound or 0.0]
        share = "" if row.bound is None else f"{min(slower) / max(slower):.0%}"
        ours = f"{number(row.value)} {row.unit}"
        cells.append((row.name, ours, row.peer, peer, ratio, share))
    heads = ("what", "ours", "peer", "peer's", "ratio", "of the bound")
    return markdown(heads, cells, left=("what", "peer"))


def markdown(
    heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[str] = ("what",)
) -> str:
    """A Markdown table; the columns `left` are aligned to the left, the others to the right."""
    rule = ["---" if head in left else "---:" for head in heads]
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]]) + "\n"


def describe_machine(machine: Machine | None, others: float) -> str:
    """A line about where the figures were taken; of the processor alone where no `machine` is."""
    end = f"others took {others:.2f} cores"
    if machine is None:
        return f"{_processor()}, {os.cpu_count()} cores; {end}"
    return f"{_processor()}, {os.cpu_count()} cores, {describe_devices(machine)}; {end}"


def describe_devices(machine: Machine) -> str:
    """Which devices jax takes, and what they can do."""
    devices = jax.devices()
    return (
        f"{len(devices)} x {devices[0].device_kind};"
        f" {machine.flops / 1e9:,.0f} GFLOP/s, {machine.bytes / 1e9:,.0f} GB/s;"
        f" jax {jax.__version__}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
