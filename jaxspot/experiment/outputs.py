"""The tables, figures and report page of a run."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from jaxspot.annotations.durations import move_to_neutral_ratio
from jaxspot.annotations.tables import write_bytes
from jaxspot.evaluation.f1 import score_by_subject
from jaxspot.experiment.judge import Judged, frame_rows
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.trial import Trial
from jaxspot.report import figures
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.tables import (
    layout4,
    layout5,
    layout_control,
    oracle_mark,
    table_title,
    write_tables,
)
from jaxspot.synthetic.sheet import event_sheet, identity_sheet
from jaxspot.training.loso import TrainedFolds
from jaxspot.video.bank import Bank

RANDOM_NOTE = (
    "random: as many intervals as ours and as long, per video and kind, placed uniformly; mean of"
    " 100 draws."
)


def write_outputs(
    workdir: Path,
    bank: Bank,
    settings: Settings,
    trial: Trial,
    frames: pd.DataFrame,
    intervals: pd.DataFrame,
    control: pd.DataFrame,
) -> None:
    """Writes tables/, figures/ and report.html.

    Args:
      workdir: the run's folder.
      bank, settings, trial: of the run.
      frames, intervals: Tables 4 and 5, tidy.
      control: the negative control, tidy; may be empty.
    """
    oracle = settings.protocol.oracle
    names: dict[str, Any] = dict(dataset=settings.dataset, oracle=oracle)
    shown = []
    for number, tidy, layout, note in (
        (4, frames, layout4, ""),
        (5, intervals, layout5, RANDOM_NOTE),
    ):
        title = table_title(number, protocol=describe_protocol(settings, number), **names)
        wide = layout(tidy)
        write_tables(tidy, wide, workdir / "tables" / f"table{number}", title=title)
        shown.append(ReportTable(title, wide, note))
    verdict = "No negative control was made: none was asked for, or too few videos are long enough."
    if len(control):
        title = control_title(settings, control)
        wide = layout_control(control)
        write_tables(control, wide, workdir / "tables" / "control", title=title)
        verdict = judge_control(control)
        shown.append(ReportTable(title, wide, verdict))
    pictures = draw_figures(workdir / "figures", bank, settings, trial.trained, trial.judged)
    ours = intervals[intervals.method == intervals.method.iloc[0]].set_index("kind")
    write_report(
        workdir / "report.html",
        title="jaxspot: leave-one-subject-out",
        dataset=settings.dataset,
        synthetic=is_synthetic(bank),
        oracle=oracle,
        summary=[
            f"{bank.videos.subject.nunique()} subjects, {len(bank.videos)} videos,"
            f" {bank.videos.frames.sum()} frames, {(bank.annotations.kind == 'ME').sum()} ME and"
            f" {(bank.annotations.kind == 'MaE').sum()} MaE.",
            verdict,
        ],
        tables=shown,
        pictures=pictures,
        scores=ours.to_dict("index"),
        provenance=json.loads((workdir / "provenance.json").read_text()),
    )


def is_synthetic(bank: Bank) -> bool:
    """Whether the frames show synthetic heads; the bank says so, not the config."""
    return bank.meta["source"].get("kind") == "synthetic"


def describe_protocol(settings: Settings, table: int) -> str:
    """The protocol of a table in a few words: frames (4) are always cut by the ROC."""
    rule = {
        "roc": "threshold by ROC of training subjects",
        "interval_f1": "threshold by interval F1 of training subjects",
        "test_oracle": "threshold by ROC of the test subject",
    }
    protocol = settings.protocol
    if table == 4:
        return f"LOSO, {rule['test_oracle' if protocol.oracle else 'roc']}"
    return f"LOSO, {protocol.matching}, IoU {protocol.iou:g}, {rule[protocol.threshold]}"


def control_title(settings: Settings, control: pd.DataFrame) -> str:
    """The heading of the negative control's table."""
    return (
        f"Negative control. Intervals: F1 of up to {settings.control_folds} folds trained and"
        f" scored on labels moved by at least {settings.control_seconds:g} s;"
        f" data: {settings.dataset}"
        f"{oracle_mark('oracle' in control)}"
    )


def judge_control(control: pd.DataFrame) -> str:
    """What the negative control says: every kind beside chance."""
    compared = [
        f"{kind} {f1:.3f} ({'ABOVE' if f1 > limit else 'not above'} {limit:.3f})"
        for kind, f1, limit in control[["kind", "f1", "random_f1_p95"]].itertuples(index=False)
    ]
    says = (
        f"Negative control: F1 on moved labels beside what 95 % of random draws stay at or under:"
        f" {', '.join(compared)}."
    )
    if (control.f1 > control.random_f1_p95).any():
        says += (
            " Above it: one clean run in twenty lands there by chance; look for a leak before you"
            " believe any table."
        )
    return says


def draw_figures(
    folder: Path, bank: Bank, settings: Settings, trained: TrainedFolds, judged: Judged
) -> list[ReportPicture]:
    """Draws all figures of a run into a folder; returns them in the order of the page."""
    by_subject = score_by_subject(
        judged.intervals,
        bank.annotations,
        videos=bank.videos,
        **settings.protocol.scoring,
    )
    raw, labels, _ = frame_rows(bank, judged)
    pooled, by_person = move_to_neutral_ratio(bank.annotations, bank.videos)
    drawn = {
        "figure3": (
            figures.figure3(
                by_person,
                pooled,
                title=f"Figure 3. Move-to-neutral ratio by subject ({settings.dataset})",
            ),
            "Frames with a labelled movement over those without.",
        ),
        "subjects": (figures.subject_bars(by_subject), "Interval F1 of each held-out subject."),
        "roc": (
            figures.roc_curves(raw, labels),
            "ROC of single held-out frames, before smoothing.",
        ),
        "loss": (
            figures.loss_curves(pd.DataFrame(trained.metrics).dropna()),
            "Loss of each fold; the weights of the lowest validation loss are kept.",
        ),
    }
    for name, subject, fps in bank.videos[["video", "subject", "fps"]].to_numpy().tolist():
        title = f"Figure 4. {name} ({settings.dataset}), scored by the fold that held it out"
        figure = figures.figure4(
            *judged.curves[name],
            fps=fps,
            thresholds=judged.decisions[subject].threshold,
            truth=bank.labels(name),
            predicted=judged.intervals.loc[judged.intervals.video == name],
            title=title,
        )
        drawn[f"figure4_{name}"] = (figure, f"Scores of {name}, labels and predictions.")
    pictures = []
    for name, (figure, caption) in drawn.items():
        figures.save_figure(figure, folder / f"{name}.png")
        pictures.append(ReportPicture(folder / f"{name}.png", caption))
    if is_synthetic(bank):
        pictures += draw_sheets(folder, bank)
    return pictures


def draw_sheets(folder: Path, bank: Bank) -> list[ReportPicture]:
    """Contact sheets of a synthetic bank: the people, one ME and one MaE frame by frame."""
    name = str(bank.videos.video.iloc[0])
    labels = bank.labels(name)
    sheets = {"people": (identity_sheet(people=bank.videos.subject.nunique()), "The identities.")}
    for kind in sorted(set(labels.kind)):
        sheet = event_sheet(kind, bank.frames(name), labels)
        sheets[f"one_{kind}"] = (sheet, f"One {kind} of {name}, frame by frame (synthetic).")
    pictures = []
    for stem, (image, caption) in sheets.items():
        path = folder / f"{stem}.png"
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="png")
        write_bytes(path, buffer.getvalue())
        pictures.append(ReportPicture(path, caption))
    return pictures
