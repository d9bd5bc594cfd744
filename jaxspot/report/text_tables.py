"""Tables of text cells as Markdown and LaTeX."""

import pandas as pd

TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
TEX |= {mark: "\\" + mark for mark in "&%$#_{}"}


def markdown(wide: pd.DataFrame, *, title: str) -> str:
    """A Markdown table of text cells, first column to the left, under its title."""
    rows = [flat_heads(wide), *wide.astype(str).values.tolist()]
    columns = []
    for number, column in enumerate(zip(*rows, strict=True)):
        cells = [cell.replace("|", "\\|") for cell in column]
        width = max(map(len, cells))
        cells.insert(1, "-" * (width - 1) + (":" if number else "-"))
        columns.append([cell.rjust(width) if number else cell.ljust(width) for cell in cells])
    lines = [f"| {' | '.join(row)} |\n" for row in zip(*columns, strict=True)]
    return f"{title}\n\n{''.join(lines)}"


def flat_heads(wide: pd.DataFrame) -> list[str]:
    """The heads of columns as one line of text each; those of two levels are joined by a blank."""
    if wide.columns.nlevels == 1:
        return [str(head) for head in wide.columns]
    return [" ".join(filter(None, map(str, head))) for head in wide.columns]


def latex(wide: pd.DataFrame, *, title: str) -> str:
    """A LaTeX table (booktabs) of text cells with its title as caption."""
    styled = wide.style.hide(axis="index")
    styled.format(_escaped).format_index(_escaped, axis="columns")
    text = styled.to_latex(
        caption=_escaped(title),
        column_format="l" + "r" * (len(wide.columns) - 1),
        position_float="centering",
        hrules=True,
        multicol_align="c",
    )
    if wide.columns.nlevels == 1:
        return text
    upper = wide.columns.get_level_values(0).tolist()
    spans = [(upper.index(name) + 1, upper.count(name)) for name in dict.fromkeys(upper) if name]
    rules = [rf"\cmidrule(lr){{{first}-{first + count - 1}}}" for first, count in spans]
    return text.replace("\\\\\n", f"\\\\\n{' '.join(rules)}\n", 1)


def _escaped(text):
    return str(text).translate(str.maketrans(TEX))
