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
from jaxspot.experiment.baselines import MethodTables
from jaxspot.experiment.control import control_title, judge_control
from jaxspot.experiment.crossval import CrossValidation
from jaxspot.experiment.heldout import HeldOut
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.tables import (
    LAYOUTS,
    METHOD,
    NOTES,
    PAIRED_NOTE,
    describe_protocol,
    kept_weights,
    oracle_of,
    write_table,
)
from jaxspot.files import write_text
from jaxspot.report import figures, strips
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.sentences import bank_sentence
from jaxspot.report.side_by_side import layout2, table2
from jaxspot.report.tables import (
    difference_title,
    layout_control,
    layout_difference,
    table_title,
)
from jaxspot.report.viewer import VideoCurves
from jaxspot.training.failures import describe_failures
from jaxspot.video.bank import Bank

NO_CONTROL = (
    "No negative control was made: none was asked for, too few videos are long enough, or no loss"
    " was finite."
)


def write_outputs(
    workdir: Path,
    bank: Bank,
    settings: Settings,
    trained: CrossValidation,
    compared: MethodTables,
    control: pd.DataFrame,
) -> None:
    """Writes tables/, figures/ and report.html of a run; `control` may be empty."""
    folder, verdict, tested = workdir / "tables", NO_CONTROL, trained.tested(bank)
    shown = write_comparison(folder, settings, compared)
    if len(control):
        verdict, wide = judge_control(control), layout_control(control)
        title = control_title(settings, control)
        table = write_table(folder, "control", control, wide, title)
        shown.append(table._replace(note=verdict))
    shown.append(write_durations(folder, bank, settings))
    dataset: Any = bank.meta["source"].get("kind")
    if dataset in DATASET_NUMBERS:
        intervals = trained.held_out.intervals
        log = megc_log(intervals, tested.annotations, videos=tested.videos, dataset=dataset)
        write_text(folder / "megc2020_log.txt", log)
    videos = video_curves(tested, trained.held_out)
    pictures = draw_faces(workdir / "figures", bank) if is_synthetic(bank) else []
    pictures += draw_figures(workdir / "figures", bank, settings, trained, compared)
    pictures.append(draw_curves(workdir / "figures", videos, settings))
    intervals = compared.intervals
    ours = intervals[intervals.method == METHOD].set_index("kind")
    write_report(
        workdir / "report.html",
        title="jaxspot: leave-one-subject-out",
        dataset=settings.dataset,
        synthetic=is_synthetic(bank),
        oracle=oracle_of(settings.protocol, 5),
        summary=[bank_sentence(bank.videos, bank.annotations), *left_out_sentence(trained)],
        control=verdict,
        videos=videos,
        scoring=settings.protocol.scoring,
        minutes=float((tested.videos.frames / tested.videos.fps).sum() / 60),
        tables=shown,
        pictures=pictures,
        scores=ours.to_dict("index"),
        provenance=json.loads((workdir / "provenance.json").read_text()),
    )


def left_out_sentence(trained: CrossValidation) -> list[str]:
    """Which folds are left out, if any are."""
    lines = describe_failures(trained.left_out).splitlines()
    return [f"Left out: {'; '.join(lines)}."] if lines else []


def write_durations(folder: Path, bank: Bank, settings: Settings) -> ReportTable:
    """Writes Table 2; returns it for the page."""
    fps = bank.videos.set_index("video").fps
    durations = duration_table(bank.annotations, fps=fps, inclusive=settings.inclusive)
    tidy = table2({settings.dataset: durations})
    title = table_title(2, dataset=settings.dataset)
    return write_table(folder, "table2", tidy, layout2(tidy), title, NOTES[2])


def write_comparison(folder: Path, settings: Settings, compared: MethodTables) -> list[ReportTable]:
    """Writes Tables 4 to 6 and the differences between methods; returns them, Table 5 first."""
    protocol, shown = settings.protocol, []
    words = lambda number: dict(
        dataset=settings.dataset,
        protocol=describe_protocol(protocol, number, settings.rule),
        oracle=oracle_of(protocol, number),
    )
    tables = {5: compared.intervals, 4: compared.frames, 6: compared.manual}
    for number, tidy in tables.items():
        layout, _ = LAYOUTS[number]
        title = table_title(number, **words(number))
        shown.append(
            write_table(folder, f"table{number}", tidy, layout(tidy), title, NOTES[number])
        )
    if len(tidy := compared.differences):
        title, wide = difference_title(METHOD, **words(5)), layout_difference(tidy)
        shown.append(write_table(folder, "differences", tidy, wide, title, PAIRED_NOTE))
    return shown


def is_synthetic(bank: Bank) -> bool:
    """Whether the frames show synthetic heads; the bank says so, not the config."""
    return bank.meta["source"].get("kind") == "synthetic"


def draw_figures(
    folder: Path, bank: Bank, settings: Settings, trained: CrossValidation, compared: MethodTables
) -> list[ReportPicture]:
    """Draws the figures over all videos into a folder; returns them in the order of the page."""
    raw, labels, _ = trained.held_out.frame_rows(bank)
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
            figures.loss_curves(pd.DataFrame(trained.metrics).dropna(subset=["train_loss"])),
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


def video_curves(bank: Bank, held_out: HeldOut) -> list[VideoCurves]:
    """What Figure 4 and the page draw of each video."""
    rows: Any = bank.videos.itertuples()
    return [
        VideoCurves(
            row.video,
            row.subject,
            row.fps,
            *held_out.curves[row.video],
            held_out.rules[row.subject].threshold,
            bank.labels(row.video),
            held_out.intervals.loc[held_out.intervals.video == row.video],
        )
        for row in rows
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
