"""Turns videos, or the folders of a released data set, into a frame bank of aligned faces."""

import argparse
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jaxspot.commands.rules_flag import active_rules, add_rules_flag
from jaxspot.commands.running import command_parser, run

EPILOG = """\
data sets:
  samm_lv   SAMM_longvideos/006_1/006_1_0001.jpg ... and the workbook (.xlsx) beside it
  cas_me2   rawpic/s15/15_0101disgustingteeth/img001.jpg ... and the workbook beside it
  openface  <video>_aligned/ and <video>.csv of OpenFace 2, anywhere under DIR; faces as they are
  csv       videos.csv (subject,video,path,fps) and annotations.csv
            (subject,video,kind,onset,apex,offset; frames from 1, both ends included; without a
            column apex, it is the middle); a path is a video file or a folder of numbered images
  video     all video files under DIR; the folder that a file lies in is its subject

BANK then holds videos.csv, annotations.csv, frames/, quality/, bank.json, and repairs.csv: every
label that was mended or left out, with its row in the file and the rule. Labels without their
video, and videos without labels, are no mistake; `doctor` counts them. --labels takes a workbook,
its label sheet saved as CSV, or an annotations.csv; all are mended by the same rules.

A run that was cut is resumed by the same command; no finished video is done again. Videos that
cannot be read are named in a line each, the others are done; the exit code is 2 then.

examples:
  python launch/prepare.py --dataset=samm_lv --source=SAMM-LV --out=banks/samm_lv
  python launch/train.py --config=configs/samm_lv.py --config.data.bank=banks/samm_lv \\
      --workdir=runs/samm_lv
  python launch/prepare.py --dataset=video --source=recordings --out=banks/mine --dry-run
"""
DATASETS = ("samm_lv", "cas_me2", "openface", "csv", "video")


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = command_parser("prepare", __doc__, EPILOG)
    flags.add_argument("--dataset", required=True, choices=DATASETS)
    flags.add_argument("--source", required=True, metavar="DIR", help="where the data set lies")
    flags.add_argument("--out", metavar="BANK", help="the bank's folder; needed but for --dry-run")
    add_source_flags(flags)
    flags.add_argument(
        "--face",
        choices=("largest", "left", "right"),
        default="largest",
        help="which of several faces to follow; left and right are those of the picture",
    )
    flags.add_argument(
        "--no-smoothing", action="store_true", help="align each frame by its own landmarks alone"
    )
    flags.add_argument("--workers", type=int, metavar="N", help="processes; one a core by default")
    flags.add_argument(
        "--skip-broken", action="store_true", help="leave out videos that cannot be read"
    )
    flags.add_argument(
        "--dry-run", action="store_true", help="say what would be done; write nothing"
    )
    flags.add_argument(
        "--labels-only",
        action="store_true",
        help="write annotations.csv and repairs.csv alone, into the bank if BANK holds one",
    )
    return flags


def add_source_flags(flags: argparse.ArgumentParser) -> None:
    """The flags that say how a data set is read."""
    flags.add_argument(
        "--labels",
        metavar="FILE",
        help="workbook, its label sheet as CSV, or annotations.csv, if not in --source",
    )
    flags.add_argument(
        "--fps", type=float, metavar="N", help="frame rate of openface, if not that of its CSV"
    )
    add_rules_flag(flags)


def check_source_flags(parse: argparse.ArgumentParser, flags: argparse.Namespace) -> None:
    """Refuses flags of another data set than the one named."""
    if flags.fps is not None and flags.dataset != "openface":
        parse.error("--fps goes with --dataset=openface; of others the frame rate is known")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes a frame bank; returns the exit code."""
    return run("prepare", prepare, argv)


def prepare(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    parse = parser()
    flags = parse.parse_args(argv)
    if not flags.out and not flags.dry_run:
        parse.error("--out is missing: the folder of the bank")
    if flags.workers is not None and flags.workers < 1:
        parse.error("--workers must be 1 or more")
    check_source_flags(parse, flags)
    from jaxspot.datasets import prepare as work
    from jaxspot.datasets.checks import format_checks
    from jaxspot.datasets.doctor import doctor_source
    from jaxspot.datasets.look import look_over
    from jaxspot.datasets.prepare_video import Alignment

    source = find_source(flags)
    for note in source.notes:
        print(note)
    if flags.dry_run:
        print(format_checks(doctor_source(source)))
        frames = int(look_over(source)[0].frames.sum())
        print(f"\nwould write {frames:,} frames, {frames * 12_552 / 1e9:.2f} GB; wrote nothing")
        return 0
    if flags.labels_only:
        labels = work.relabel(source, flags.out)
        print(f"{len(labels.annotations)} labels, {len(labels.repairs)} repairs in {flags.out}")
        return 0
    bank = work.prepare(
        source,
        Path(flags.out),
        alignment=Alignment(flags.face, not flags.no_smoothing),
        skip_broken=flags.skip_broken,
        workers=flags.workers,
    )
    print(summary(bank))
    return 0


def find_source(flags: Any) -> Any:
    """The data set that the flags name; raises UserError if it is not there."""
    from jaxspot.datasets import folders, releases

    rules = active_rules(flags)
    readers = dict(
        samm_lv=releases.samm_lv_source,
        cas_me2=releases.cas_me2_source,
        openface=partial(folders.openface_source, fps=flags.fps),
        csv=folders.csv_source,
        video=folders.video_source,
    )
    return readers[flags.dataset](flags.source, labels=flags.labels, rules=rules)


def summary(bank: Any) -> str:
    """A finished bank in a few lines."""
    kinds = bank.annotations.kind.value_counts()
    found = sum(video["found"] for video in bank.meta["source"]["videos"].values())
    frames = int(bank.videos.frames.sum())
    return (
        f"{bank.root}: {bank.videos.subject.nunique()} subjects, {len(bank.videos)} videos,"
        f" {frames} frames ({found / frames:.1%} with a face), {kinds.get('MaE', 0)} MaE and"
        f" {kinds.get('ME', 0)} ME\nlook at it with: python launch/doctor.py"
        f" --bank={shlex.quote(str(bank.root))}"
    )
