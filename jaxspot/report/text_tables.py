"""Tables of text cells as Markdown and LaTeX."""

import itertools

import pandas as pd


def markdown(wide: pd.DataFrame, *, title: str) -> str:
    """A Markdown table of text cells, first column to the left, under its title."""
    cells = [flat_heads(wide), *wide.astype(str).values.tolist()]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    width = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    rule = ["-" * width[0], *("-" * (w - 1) + ":" for w in width[1:])]
    lines = [_line(row, width) for row in [cells[0], rule, *cells[1:]]]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def flat_heads(wide: pd.DataFrame) -> list[str]:
    """The heads of columns as one line of text each; those of two levels are joined by a blank."""
    if wide.columns.nlevels == 1:
        return [str(head) for head in wide.columns]
    return [" ".join(filter(None, map(str, head))) for head in wide.columns]


def latex(wide: pd.DataFrame, *, title: str) -> str:
    """A LaTeX table (booktabs) of text cells with its title as caption."""
    grouped = wide.columns.nlevels > 1
    names = [head[-1] for head in wide.columns] if grouped else list(wide.columns)
    heads, *rows = [
        " & ".join(map(_escaped, row)) + r" \\"
        for row in [names, *wide.astype(str).values.tolist()]
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(wide.columns) - 1)}}}",
            r"\toprule",
            *(_groups(wide) if grouped else []),
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


def _groups(wide):
    """The upper of two levels of heads, each name over its columns and a rule below it."""
    names, rules, column = [], [], 0
    for name, group in itertools.groupby(head[0] for head in wide.columns):
        width = len(list(group))
        names.append(rf"\multicolumn{{{width}}}{{c}}{{{_escaped(name)}}}")
        if name:
            rules.append(rf"\cmidrule(lr){{{column + 1}-{column + width}}}")
        column += width
    return [" & ".join(names) + r" \\", " ".join(rules)]


def _line(row, width):
    first = row[0].ljust(width[0])
    return (
        "| "
        + " | ".join([first, *(c.rjust(w) for c, w in zip(row[1:], width[1:], strict=True))])
        + " |"
    )


def _escaped(text):
    return "".join(_TEX.get(mark, mark) for mark in str(text))
