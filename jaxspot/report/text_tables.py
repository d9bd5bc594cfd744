"""Tables of text cells as Markdown and LaTeX."""

import pandas as pd


def markdown(wide: pd.DataFrame, *, title: str) -> str:
    """A Markdown table of text cells, first column to the left, under its title."""
    cells = [[str(head) for head in wide.columns], *wide.astype(str).values.tolist()]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    width = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    rule = ["-" * width[0], *("-" * (w - 1) + ":" for w in width[1:])]
    lines = [_line(row, width) for row in [cells[0], rule, *cells[1:]]]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def latex(wide: pd.DataFrame, *, title: str) -> str:
    """A LaTeX table (booktabs) of text cells with its title as caption."""
    heads, *rows = [
        " & ".join(map(_escaped, row)) + r" \\"
        for row in [list(wide.columns), *wide.astype(str).values.tolist()]
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(wide.columns) - 1)}}}",
            r"\toprule",
            heads,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {mark: "\\" + mark for mark in "&%$#_{}"}


def _line(row, width):
    first = row[0].ljust(width[0])
    return (
        "| "
        + " | ".join([first, *(c.rjust(w) for c, w in zip(row[1:], width[1:], strict=True))])
        + " |"
    )


def _escaped(text):
    return "".join(_TEX.get(mark, mark) for mark in str(text))
