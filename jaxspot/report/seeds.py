"""Tables over several seeds: every run's row as tidy CSV; mean and deviation as printed."""

from collections.abc import Iterable, Mapping

import pandas as pd

from jaxspot.report.tables import KIND_ORDER

SEEDS_COLUMNS = ("method", "seed", "kind", "predictions", "ground_truth", "tp", "fp", "fn", "f1")


def seeds_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy table of runs that differ in their `seed`: SEEDS_COLUMNS, in the order given.

    `rows` are as for `table5`, with `seed`; `oracle` follows when it is true of any row.
    """
    rows = [dict(row) for row in rows]
    table = pd.DataFrame(rows).loc[:, list(SEEDS_COLUMNS)]
    if any(row.get("oracle") is True for row in rows):
        table["oracle"] = [row.get("oracle") is True for row in rows]
    return table


def layout_seeds(tidy: pd.DataFrame) -> pd.DataFrame:
    """Mean F1 over seeds and its deviation (n - 1), "0.412 ± 0.031": a row a method; text cells."""
    wide = []
    for method in dict.fromkeys(tidy.method):
        rows = tidy[tidy.method == method]
        oracle = "oracle" in tidy and rows.oracle.any()
        line = {"Method": f"{method} (oracle)" if oracle else str(method)}
        line["Seeds"] = str(rows.seed.nunique())
        for kind in KIND_ORDER:
            f1 = rows.f1[rows.kind == kind]
            spread = f" ± {f1.std():.3f}" if len(f1) > 1 else ""
            line[kind.replace("overall", "Overall")] = f"{f1.mean():.3f}{spread}"
        wide.append(line)
    return pd.DataFrame(wide)
