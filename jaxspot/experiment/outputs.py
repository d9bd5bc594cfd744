"""The tables, figures and report page of a run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from jaxspot.annotations.durations import duration_table, move_to_neutral_ratio
from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.megc_log import DATASET_NUMBERS, megc_log
from jaxspot.experiment.compare import METHOD, Compared
from jaxspot.experiment.crossval import Trial
from jaxspot.experiment.describe import (
    NOTES,
    PAIRED_NOTE,
    describe_protocol,
    kept_weights,
    oracle_of,
)
from jaxspot.experiment.heldout import Judged, frame_rows
from jaxspot.experiment.settings import Settings
from jaxspot.files import write_text
from jaxspot.report import figures, strips
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.sentences import bank_sentence
from jaxspot.report.side_by_side import layout2, table2
from jaxspot.report.tables import (
    difference_title,
    layout4,
    layout5,
    layout_control,
    layout_difference,
    oracle_mark,
    table_title,
    write_tables,
)
from jaxspot.report.viewer import VideoCurves
from jaxspot.video.bank import Bank


def write_outputs(
    workdir: Path,
    bank: Bank,
    settings: Settings,
    trial: Trial,
    compared: Compared,
    control: pd.DataFrame,
) -> None:
    """Writes tables/, figures/ and report.html.

    Args:
      workdir: the run's folder.
      bank, settings, trial: of the run.
      compared: Tables 4 to 6, tidy.
      control: the negative control, tidy; may be empty.
    """
    shown = write_comparison(workdir / "tables", settings, compared)
    verdict = "No negative control was made: none was asked for, or too few videos are long enough."
    if len(control):
        title, wide = control_title(settings, control), layout_control(control)
        write_tables(control, wide, workdir / "tables" / "control", title=title)
        verdict = judge_control(control)
        shown.append(ReportTable(title, wide, verdict))
    shown.append(write_durations(workdir / "tables", bank, settings))
    dataset: Any = bank.meta["source"].get("kind")
    if dataset in DATASET_NUMBERS:
        log = megc_log(
            trial.judged.intervals, bank.annotations, videos=bank.videos, dataset=dataset
        )
        write_text(workdir / "tables" / "megc2020_log.txt", log)
    videos = video_curves(bank, trial.judged)
    pictures = draw_faces(workdir / "figures", bank) if is_synthetic(bank) else []
    pictures += draw_figures(workdir / "figures", bank, settings, trial, compared)
    pictures.append(draw_curves(workdir / "figures", videos, settings))
    intervals = compared.intervals
    ours = intervals[intervals.method == intervals.method.iloc[0]].set_index("kind")
    write_report(
        workdir / "report.html",
        title="jaxspot: leave-one-subject-out",
        dataset=settings.dataset,
        synthetic=is_synthetic(bank),
        oracle=oracle_of(settings.protocol, 5),
        summary=[bank_sentence(bank.videos, bank.annotations)],
        control=verdict,
        videos=videos,
        scoring=settings.protocol.scoring,
        minutes=float((bank.videos.frames / bank.videos.fps).sum() / 60),
        tables=shown,
        pictures=pictures,
        scores=ours.to_dict("index"),
        provenance=json.loads((workdir / "provenance.json").read_text()),
    )


def write_durations(folder: Path, bank: Bank, settings: Settings) -> ReportTable:
    """Writes Table 2; returns it for the page."""
    fps = bank.videos.set_index("video").fps
    durations = duration_table(bank.annotations, fps=fps, inclusive=settings.inclusive)
    tidy = table2({settings.dataset: durations})
    wide, title = layout2(tidy), table_title(2, dataset=settings.dataset)
    write_tables(tidy, wide, folder / "table2", title=title, note=NOTES[2])
    return ReportTable(title, wide, NOTES[2])


def write_comparison(folder: Path, settings: Settings, compared: Compared) -> list[ReportTable]:
    """Writes Tables 4 to 6 and the differences between methods; returns them, Table 5 first."""
    shown = []
    for number, tidy, layout in (
        (5, compared.intervals, layout5),
        (4, compared.frames, layout4),
        (6, compared.manual, layout5),
    ):
        rules = settings.protocol
        protocol, oracle = describe_protocol(rules, number), oracle_of(rules, number)
        title = table_title(number, dataset=settings.dataset, protocol=protocol, oracle=oracle)
        wide, note = layout(tidy), NOTES[number]
        write_tables(tidy, wide, folder / f"table{number}", title=title, note=note)
        shown.append(ReportTable(title, wide, note))
    if len(compared.differences):
        rules = settings.protocol
        protocol, oracle = describe_protocol(rules, 5), oracle_of(rules, 5)
        names: dict[str, Any] = dict(dataset=settings.dataset, protocol=protocol, oracle=oracle)
        title, wide = difference_title(METHOD, **names), layout_difference(compared.differences)
        stem = folder / "differences"
        write_tables(compared.differences, wide, stem, title=title, note=PAIRED_NOTE)
        shown.append(ReportTable(title, wide, PAIRED_NOTE))
    return shown


def is_synthetic(bank: Bank) -> bool:
    """Whether the frames show synthetic heads; the bank says so, not the config."""
    return bank.meta["source"].get("kind") == "synthetic"


def control_title(settings: Settings, control: pd.DataFrame) -> str:
    """The heading of the negative control's table."""
    return (
        f"Negative control. Intervals: F1 of up to {settings.control_folds} folds trained and"
        f" scored on labels moved by at least {settings.control_seconds:g} s;"
        f" data: {settings.dataset}"
        f"{oracle_mark('oracle' in control and oracle_of(settings.protocol, 5))}"
    )


def judge_control(control: pd.DataFrame) -> str:
    """What the negative control says: every kind beside chance."""
    compared = [
        f"{kind} {f1:.3f} ({'ABOVE' if f1 > limit else 'not above'} {limit:.3f})"
        for kind, f1, limit in control[["kind", "f1", "random_f1_p95"]].itertuples(index=False)
    ]
    says = (
        f"Negative control: F1 on moved labels against the 95th percentile of random intervals:"
        f" {', '.join(compared)}."
    )
    if (control.f1 > control.random_f1_p95).any():
        says += (
            " One clean run in twenty is above it by chance. Still, look for a leak before you"
            " trust any table."
        )
    return says


def draw_figures(
    folder: Path, bank: Bank, settings: Settings, trial: Trial, compared: Compared
) -> list[ReportPicture]:
    """Draws the figures over all videos into a folder; returns them in the order of the page."""
    raw, labels, _ = frame_rows(bank, trial.judged)
    pooled, by_person = move_to_neutral_ratio(bank.annotations, bank.videos)
    drawn = {
        "figure3": (
            figures.figure3(
                by_person,
                pooled,
                title=f"Figure 3. Move-to-neutral ratio by subject ({settings.dataset})",
            ),
            "Frames with a labelled movement divided by frames without.",
        ),
        "subjects": (
            figures.subject_bars(compared.by_subject),
            "Interval F1 of each held-out subject.",
        ),
        "roc": (
            figures.roc_curves(raw, labels),
            "ROC of single held-out frames before smoothing.",
        ),
        "loss": (
            figures.loss_curves(pd.DataFrame(trial.metrics).dropna(subset=["train_loss"])),
            f"Loss of each fold; {kept_weights(settings.training.patience)} are kept.",
        ),
    }
    return save_pictures(folder, drawn)


def draw_curves(folder: Path, videos: Sequence[VideoCurves], settings: Settings) -> ReportPicture:
    """Draws Figure 4 of every video; returns the first for the printed page."""
    places = []
    for video in videos:
        name = video.video
        title = f"Figure 4. {name} ({settings.dataset}), scored by the fold that held it out"
        figure = figures.figure4(
            video.raw,
            video.smoothed,
            fps=video.fps,
            thresholds=video.thresholds,
            truth=video.truth,
            predicted=video.predicted,
            title=title,
        )
        places.append(figures.save_figure(figure, folder / f"figure4_{name}.png"))
    caption = f"Scores of {videos[0].video}, labels and predictions."
    return ReportPicture(places[0], caption, printed=True)


def video_curves(bank: Bank, judged: Judged) -> list[VideoCurves]:
    """What Figure 4 and the page draw of each video."""
    rows = bank.videos[["video", "subject", "fps"]].to_numpy().tolist()
    return [
        VideoCurves(
            video,
            subject,
            fps,
            *judged.curves[video],
            judged.decisions[subject].threshold,
            bank.labels(video),
            judged.intervals.loc[judged.intervals.video == video],
        )
        for video, subject, fps in rows
    ]


def draw_faces(folder: Path, bank: Bank) -> list[ReportPicture]:
    """Draws one ME and one MaE frame by frame, and a face of each subject."""
    drawn = {}
    for kind in KINDS:
        labels = bank.annotations.loc[bank.annotations.kind == kind]
        if len(labels):
            name = labels.video.iloc[0]
            title = f"One {kind} of {name}, frame by frame"
            strip = strips.event_strip(kind, bank.frames(name), bank.labels(name), title=title)
            caption = (
                f"Frames of one {kind} of {name} by their number, and what changed since the frame"
                " before the onset: red is brighter, blue is darker."
            )
            drawn[f"one_{kind}"] = strip, caption
    first = bank.videos.drop_duplicates("subject")
    faces = {s: bank.frames(v)[0] for s, v in zip(first.subject, first.video, strict=True)}
    drawn["people"] = strips.face_grid(faces, title="Subjects"), "The first frame of each subject."
    return save_pictures(folder, drawn)


def save_pictures(folder: Path, drawn: Mapping[str, tuple[Figure, str]]) -> list[ReportPicture]:
    """Saves figures by name, each with its caption, as PNG."""
    return [
        ReportPicture(figures.save_figure(figure, folder / f"{name}.png"), caption)
        for name, (figure, caption) in drawn.items()
    ]
