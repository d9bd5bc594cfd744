"""Figures: move-to-neutral ratio (3), score curves (4), loss curves, F1 by subject, ROC."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.metrics import roc_curve

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.frame_scores import auc
from jaxspot.files import write_bytes
from jaxspot.spotting.intervals import find_intervals

DPI = 144
COLOURS = {"ME": "#c8501e", "MaE": "#1f6fb2", "overall": "#555555"}
LOWEST_BAR = 0.015
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "jaxspot",
}


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Writes a figure as .png or .svg, whole or not at all, the same bytes for the same figure."""
    # Through memory: where the disk is full, the error of the PNG encoder does not say so.
    path, buffer = Path(path), io.BytesIO()
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format=path.suffix[1:], dpi=DPI, metadata=metadata)
    write_bytes(path, buffer.getvalue())
    return path


@matplotlib.rc_context(STYLE)
def figure4(
    raw: np.ndarray,
    smoothed: np.ndarray,
    *,
    fps: float,
    thresholds: Sequence[float],
    truth: pd.DataFrame,
    predicted: pd.DataFrame,
    title: str,
) -> Figure:
    """Score curves of one video beside its labels and predictions (paper Figure 4).

    `raw` and `smoothed` are float (T, 2), ME and MaE, on one scale; NaN where a frame has no score.
    `thresholds` are those of the smoothed curves; `truth` and `predicted` have kind, onset, offset.
    """
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(2, 1, sharex=True)
    seconds = np.arange(len(raw)) / fps
    for i, (axes, kind) in enumerate(zip(panels, KINDS, strict=True)):
        colour = COLOURS[kind]
        axes.plot(seconds, raw[:, i], color="#b5b5b5", lw=0.7, label="before smoothing")
        axes.plot(seconds, smoothed[:, i], color=colour, lw=1.4, label="smoothed")
        if np.isfinite(thresholds[i]):
            axes.axhline(thresholds[i], color="#333333", lw=0.9, ls="--", label="threshold")
        _gaps(axes, np.isnan(raw[:, i]), fps)
        _lanes(axes, kind, [raw[:, i], smoothed[:, i], thresholds[i]], fps, truth, predicted)
        axes.set_ylabel(f"{kind} score")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)
    panels[-1].set_xlabel("time (s)")
    panels[-1].set_xlim(0, max(len(raw), 1) / fps)
    return figure


@matplotlib.rc_context(STYLE)
def loss_curves(metrics: pd.DataFrame) -> Figure:
    """Training and, where subjects validate, validation loss of each fold; a dot marks its lowest.

    `metrics` has a row a fold and epoch: subject, epoch, train_loss, validation_loss.
    """
    folds = list(dict.fromkeys(metrics.subject.tolist()))
    columns = min(len(folds), 6) or 1
    rows = max(1, -(-len(folds) // columns))
    size = (max(1.75 * columns, 6), 1.5 * rows + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    title = "Loss by epoch, one panel a held-out subject"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(panels, folds, strict=False):
        part = metrics.loc[metrics.subject == name].sort_values("epoch")
        axes.plot(part.epoch, part.train_loss, color="#999999", lw=1.1, label="training")
        loss = part.validation_loss
        if loss.notna().any():
            axes.plot(part.epoch, loss, color="#1f6fb2", lw=1.3, label="validation")
            best = part.loc[loss.idxmin()]
            axes.plot(best.epoch, best.validation_loss, "o", color="#c8501e", ms=4, label="lowest")
        axes.set_title(str(name), fontsize=9)
    for axes in panels[len(folds) :]:
        axes.set_visible(False)
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("loss", fontsize=9)
    if folds:
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower left", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def subject_bars(by_subject: pd.DataFrame) -> Figure:
    """Interval F1 of each subject, bars for MaE and ME and overall.

    An F1 of 0 is a low bar marked 0. A kind with neither label nor prediction has a dash instead.
    `by_subject` has subject, kind, f1, predictions, ground_truth, as from `score_by_subject`.
    """
    subjects = list(dict.fromkeys(by_subject.subject.tolist()))
    figure = Figure(figsize=(max(6.0, 0.55 * len(subjects) + 1.5), 2.9), layout="constrained")
    axes = figure.subplots()
    for shift, kind in enumerate(("MaE", "ME", "overall")):
        rows = by_subject.loc[by_subject.kind == kind].set_index("subject").loc[subjects]
        place = np.arange(len(subjects)) + 0.27 * (shift - 1)
        empty = rows.ground_truth + rows.predictions == 0
        height = rows.f1.clip(lower=LOWEST_BAR).mask(empty)
        axes.bar(place, height, 0.25, color=COLOURS[kind], label=kind)
        marks = np.select([empty, rows.f1 == 0], ["-", "0"], "").tolist()
        for x, mark in zip(place, marks, strict=True):
            axes.text(x, 0.025, mark, color=COLOURS[kind], fontsize=8, ha="center")
    counts = by_subject.loc[by_subject.kind == "overall"].set_index("subject").ground_truth
    labels = [f"{subject}\n{counts[subject]} labels" for subject in subjects]
    axes.set_xticks(np.arange(len(subjects)), labels, fontsize=7)
    axes.set_ylim(0, max(1.0, by_subject.f1.max() if len(by_subject) else 0))
    axes.set_xlim(-0.6, max(len(subjects), 1) - 0.4)
    axes.set(ylabel="F1", title="F1 by subject")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def figure3(by_subject: pd.Series, pooled: float, *, title: str) -> Figure:
    """Move-to-neutral ratio of each subject, paper Figure 3; inf has no bar.

    `by_subject` is as from `move_to_neutral_ratio`; `pooled`, the ratio over all frames, is a line.
    """
    width = max(6.0, 0.3 * len(by_subject) + 1.5)
    figure = Figure(figsize=(width, 2.6), layout="constrained")
    axes = figure.subplots()
    finite = by_subject.replace(np.inf, np.nan)
    axes.bar(np.arange(len(finite)), finite, 0.7, color=COLOURS["overall"])
    axes.axhline(pooled, color=COLOURS["ME"], lw=1, label=f"all frames: {pooled:.2f}")
    axes.set_xticks(np.arange(len(finite)), list(map(str, finite.index)), fontsize=7, rotation=90)
    axes.set(xlabel="subject", ylabel="moved / neutral frames", title=title)
    figure.legend(loc="outside lower left", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def roc_curves(
    scores: np.ndarray, labels: np.ndarray, *, points: Mapping[str, Sequence[float]] | None = None
) -> Figure:
    """ROC curves of both kinds with their AUC.

    `scores` float (N, 2), ME and MaE; frames without a score (NaN) are left out. `labels` bool
    (N, 2). `points` maps kind to thresholds that are marked on the curve.
    """
    figure = Figure(figsize=(4.6, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", lw=0.9, ls="--", label="chance")
    for i, kind in reversed(list(enumerate(KINDS))):
        known = ~np.isnan(scores[:, i])
        score, label = scores[known, i], labels[known, i]
        if label.all() or not label.any():
            axes.plot([], [], color=COLOURS[kind], label=f"{kind}: one class only")
            continue
        wrong, right, _ = roc_curve(label, score)
        name = f"{kind}, AUC {auc(score, label):.3f}"
        axes.plot(wrong, right, color=COLOURS[kind], lw=1.5, label=name)
        for threshold in (points or {}).get(kind, ()):
            found = score >= threshold
            at = (found[~label].mean(), found[label].mean())
            axes.plot(*at, "o", mfc="white", mec=COLOURS[kind], ms=5)
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    axes.set(xlabel="neutral frames above the threshold", ylabel="expression frames above it")
    axes.set_title("ROC of single frames, all held-out subjects")
    figure.legend(loc="outside lower left", ncols=3)
    return figure


def _lanes(axes: Axes, kind, values, fps, truth, predicted):
    """Labels filled and predictions hollow, in two lanes below the curve."""
    known = np.concatenate([np.ravel(v) for v in values])
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    height = max(high - low, 1e-3)
    filled: Any = dict(facecolor=COLOURS[kind], alpha=0.55, edgecolor="none")
    hollow: Any = dict(fill=False, edgecolor=COLOURS[kind], lw=1.1)
    lanes = [("labelled", truth, filled), ("predicted", predicted, hollow)]
    for lane, (name, table, look) in enumerate(lanes):
        bottom = low - height * (0.14 + 0.13 * lane)
        rows = table.loc[table.kind == kind, ["onset", "offset"]].to_numpy(float)
        for onset, offset in rows:
            start, width = (onset - 1) / fps, (offset - onset + 1) / fps
            axes.add_patch(Rectangle((start, bottom), width, 0.09 * height, **look))
        axes.add_patch(Rectangle((0, bottom), 0, 0, label=f"{name} ({len(rows)})", **look))
    axes.set_yticks([tick for tick in axes.get_yticks() if low <= tick <= high])
    axes.set_ylim(low - 0.32 * height, high + 0.05 * height)


def _gaps(axes: Axes, missing, fps):
    """Grey where frames have no score."""
    for n, (start, stop) in enumerate(find_intervals(missing.astype(float), threshold=1)):
        label = None if n else "no score"
        axes.axvspan(start / fps, stop / fps, color="#ececec", lw=0, zorder=0, label=label)
