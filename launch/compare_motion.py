"""Compares banks of region motion: what moves without a label, and what expressions look like.

Writes to --out, for all banks side by side:
  banks       videos, minutes, labels, and the time that is free of labels
  motion      displacement without labels over a row, 0.2, 0.6 and 2 s, by region
  labels      duration, rise, decay and amplitude of ME and MaE, and what is left at the offset
  shares      how often the head seems to turn and the lips move; where expressions peak
  spectra     power spectra without labels of where brows, nose and mouth are
as .csv and (but for spectra) .md, and motion.png, spectra.png and labels.png. Lengths are in pixels
of the 112 crop. No row is about a single video or label.

A frame bank of synthetic videos stands for its true motion, which is known.

The twelve regions hold no lids, so blinks cannot be seen. The motion of the nose is subtracted: a
head that shifts leaves nothing, one that turns moves brows and mouth against the nose. Lips that
move need not speak.

examples:
  jaxspot compare_motion banks/cas_motion --out=compared
  jaxspot compare_motion real=banks/cas_motion synthetic=banks/motion true=banks/frames \\
      --out=compared
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jaxspot.commands.running import command, command_parser
from jaxspot.errors import UserError
from jaxspot.files import write_table, write_text
from jaxspot.motion import compare
from jaxspot.motion.regions import TWELVE
from jaxspot.progress import progress_bar
from jaxspot.report.text_tables import markdown
from jaxspot.synthetic.true_motion import true_motion_of
from jaxspot.video.bank import Bank, open_bank

TITLES = {
    "banks": "Banks",
    "motion": "Displacement without labels in pixels of the 112 crop: median / 95 %",
    "labels": "Expressions: median [25 %, 75 %]",
    "shares": "How often",
}


@command
def main(argv: Sequence[str]) -> int:
    """Writes the tables and figures and prints the tables; returns the exit code."""
    parser = command_parser("compare_motion", __doc__)
    flag = parser.add_argument
    flag("banks", nargs="+", metavar="[NAME=]BANK", help="a bank, by default called as its folder")
    flag("--out", required=True, metavar="DIR", help="tables and figures go here")
    flags = parser.parse_args(argv)
    tables = describe(open_banks(flags.banks))
    out = Path(flags.out)
    for name, table in tables.items():
        write_table(table, out / f"{name}.csv")
    for name, cells in cells_of(tables).items():
        text = markdown(cells, title=TITLES[name])
        write_text(out / f"{name}.md", text)
        print(text)
    from jaxspot.report import figures, motion_figures

    for name in ("motion", "spectra", "labels"):
        draw = getattr(motion_figures, f"{name}_figure")
        figures.save_figure(draw(tables[name]), out / f"{name}.png")
    print(f"open {out}/motion.png")
    return 0


def open_banks(words: Sequence[str]) -> dict[str, Bank]:
    """Name -> bank, from words such as NAME=BANK; UserError: a name is taken twice, or as below."""
    banks: dict[str, Bank] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or Path(word).exists():
            name, path = Path(word).resolve().name, word
        if name in banks:
            raise UserError(f"two of the banks are called {name}; name them, as in NAME={path}")
        banks[name] = bank = open_bank(path)
        if not bank.regions and bank.meta["source"].get("kind") != "synthetic":
            raise UserError(
                f"{path}: holds frames, not region motion; make it by"
                f" `jaxspot prepare --dataset=bank --source={path} --out=BANK`"
            )
        if bank.regions and bank.regions.names != TWELVE.names:
            raise UserError(f"{path}: its regions are not the twelve known ones; prepare it again")
    return banks


def describe(banks: dict[str, Bank]) -> dict[str, pd.DataFrame]:
    """The tables by name, each with a first column `bank`."""
    parts: dict[str, list] = {name: [] for name in (*TITLES, "spectra")}
    for name, bank in banks.items():
        motion = None if bank.regions else true_motion_of(bank)
        series, shapes = [], []
        work = compare.bank_series(bank, motion)
        for _, video in progress_bar(work, desc=name, total=len(bank.videos), unit="video"):
            series.append(video)
            shapes.append(compare.label_shapes(video))
        all_shapes = pd.concat(shapes, ignore_index=True)
        found = dict(
            banks=pd.DataFrame([compare.bank_row(series)]),
            motion=compare.motion_quantiles(series),
            labels=compare.label_quantiles(all_shapes),
            shares=compare.shares(series, all_shapes),
            spectra=compare.group_spectra(series),
        )
        for key, table in found.items():
            table.insert(0, "bank", name)
            parts[key].append(table)
    return {key: pd.concat(tables, ignore_index=True) for key, tables in parts.items()}


def cells_of(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables as text cells with a column for each bank."""
    banks = tables["banks"].set_index("bank").T.map(lambda value: f"{value:.4g}")
    motion = tables["motion"].assign(
        cell=lambda t: t.q50.map("{:.3f}".format) + " / " + t.q95.map("{:.3f}".format)
    )
    both = lambda row: f"{row.q50:.2f} [{row.q25:.2f}, {row.q75:.2f}]"
    labels = tables["labels"].assign(cell=lambda t: [both(row) for row in t.itertuples()])
    shares = tables["shares"].assign(
        cell=lambda t: t.share.map("{:.1%}".format, na_action="ignore")
    )
    return {
        "banks": banks.rename_axis("", axis=0).reset_index().rename_axis(None, axis=1),
        "motion": _wide(motion, ["span", "region"]),
        "labels": _wide(labels, ["kind", "measure"]),
        "shares": _wide(shares, ["what"]),
    }


def _wide(table, keys):
    """One column of `cell` for each bank; rows and columns keep their order."""
    wide = table.pivot(index=keys, columns="bank", values="cell")
    rows = list(dict.fromkeys(table[keys].itertuples(index=False, name=None)))
    wide = wide.loc[[row if len(keys) > 1 else row[0] for row in rows], table.bank.unique()]
    return wide.fillna("").reset_index().rename_axis(None, axis=1)


if __name__ == "__main__":
    sys.exit(main())
