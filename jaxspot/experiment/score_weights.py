"""A bank scored by existing weights: nothing is trained or fitted on the bank."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import frame_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.frame_scores import score_frames
from jaxspot.experiment.baselines import score_chance, score_method
from jaxspot.experiment.scores import shown_frames, usable_scores, within_stays, write_scores
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.tables import METHOD, NOTES, write_table
from jaxspot.experiment.trained_on import was_trained_on
from jaxspot.files import write_table as write_csv
from jaxspot.progress import progress_bar
from jaxspot.report.page import ReportTable
from jaxspot.report.tables import layout4, layout5, score_rows, table4, table5, table_title
from jaxspot.spotting.automated_iou import normalise
from jaxspot.spotting.mean_rule import mean_rule
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.spotting.scoring import score_video, to_native
from jaxspot.spotting.spotter import Spotter
from jaxspot.video.bank import Bank, open_bank


def score_weights(
    weights: str | Path, bank: str | Path, out: str | Path, settings: Settings
) -> list[ReportTable]:
    """Writes scores/, intervals.csv and Tables 4 and 5 of a bank by a spotter's mean scores.

    Intervals are found by the spotter's judge, else by the mean of its rules, as `spot` finds them.
    Of `settings` only the matching of intervals and the seed of the bootstrap are used. The titles
    tell where the weights are known to be trained on this bank, and a line on stderr does.

    Raises:
      UserError: the weights or the bank cannot be used, they do not go together, or `out` is used.
    """
    out, spotter, found = Path(out), load_spotter(weights), open_bank(bank, verify=True)
    refuse_unlike(spotter, found)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: is not empty; name another --out")
    protocol = f"weights and thresholds from elsewhere ({weights}), none fitted here"
    if was_trained_on(weights, found):
        protocol = f"weights and thresholds of {weights}, trained on this bank: nobody is held out"
        line = f"{weights}: was trained on {bank}; the figures are not of people left out"
        print(line, file=sys.stderr)
    scores = bank_scores(found, spotter)
    intervals = bank_intervals(found, spotter, scores)
    write_scores(out / "scores", scores)
    write_csv(intervals, out / "intervals.csv")
    ours, _ = score_method(METHOD, intervals, found, settings)
    tidy = {
        5: table5([*ours, *score_chance(intervals, found, settings)]),
        4: table4(score_rows(METHOD, _frame_scores(found, spotter, scores))),
    }
    return [
        write_table(
            out / "tables",
            f"table{number}",
            table,
            {4: layout4, 5: layout5}[number](table),
            table_title(
                number,
                dataset=found.root.name,
                protocol=protocol,
            ),
            NOTES[number],
        )
        for number, table in tidy.items()
    ]


def bank_scores(bank: Bank, spotter: Spotter) -> dict[str, np.ndarray]:
    """Mean scores: video -> float32 (frames, 2), NaN where a frame shows no face."""
    scores, total = {}, int(bank.videos.frames.sum())
    with progress_bar(total=total, desc="scoring", unit="frame") as bar:
        for row in cast(Any, bank.videos.itertuples()):
            skips = spotter.skips(row.fps / bank.every)
            found = score_video(
                spotter.model,
                spotter.variables,
                shown_frames(bank, row.video),
                skips=skips,
                on_chunk=lambda count: bar.update(count * bank.every),
            )
            native = to_native(found, every=bank.every, frames=row.frames)
            native = within_stays(bank, row.video, native, skips).mean(0)
            scores[row.video] = usable_scores(bank, row.video, native).astype(np.float32)
    return scores


def bank_intervals(bank: Bank, spotter: Spotter, scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What a spotter finds in all videos of a bank, from its `bank_scores`."""
    rows: Any = bank.videos.itertuples()
    tables = [
        spotter.intervals(scores[row.video], row.fps).assign(subject=row.subject, video=row.video)
        for row in rows
    ]
    return pd.concat(tables, ignore_index=True)


def _frame_scores(bank, spotter, scores):
    rule = mean_rule(spotter.rules)
    fps = bank.videos.set_index("video").fps
    curves = [normalise(curve, fps=fps[video], fitted=rule) for video, curve in scores.items()]
    labels = [frame_labels(bank.labels(video), frames=len(scores[video])) for video in scores]
    limits = [np.broadcast_to(rule.frame_threshold, curve.shape) for curve in curves]
    return score_frames(*map(np.concatenate, (curves, labels, limits)))


def refuse_unlike(spotter: Spotter, bank: Bank) -> None:
    """Raises UserError where a bank does not hold what a spotter's networks were trained on."""
    kinds = {True: "region motion", False: "pictures"}
    if bool(bank.regions) != spotter.takes_motion:
        raise UserError(
            f"{bank.root}: holds {kinds[bool(bank.regions)]}; these weights need"
            f" {kinds[spotter.takes_motion]}"
        )
    if not spotter.takes_motion and bank.alignment != spotter.alignment:
        raise UserError(
            f"{bank.root}: its faces are aligned by {bank.alignment!r}; these weights need"
            f" {spotter.alignment!r}"
        )
