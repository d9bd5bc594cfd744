"""Turns videos, a released data set, or a pack of its region motion into a bank."""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jaxspot.commands.rules_flag import add_rules_flag
from jaxspot.commands.running import as_called, command, command_parser

EPILOG = """\
data sets:
  samm_lv   SAMM_longvideos/006_1/006_1_0001.jpg ... and the workbook (.xlsx) beside it
  cas_me2   rawpic/s15/15_0101disgustingteeth/img001.jpg ... and the workbook beside it
            both also as a pack of region motion, at any depth under DIR: segments such as
            samm_006_1_0000.npz or casme_015_0101_0256.npz, with the workbook beside them
  cas_me3   part A: spNO.1/a/color/123.jpg ..., at any depth, and the workbook beside them
  smic_long a folder of images for each clip, named as in the workbook, which lies beside them
  openface  <video>_aligned/ and <video>.csv of OpenFace 2, anywhere under DIR; faces as they are
  csv       videos.csv (subject,video,path,fps) and annotations.csv
            (subject,video,kind,onset,apex,offset; frames from 1, both ends included; without a
            column apex, it is the middle); a path is a video file or a folder of numbered images
  video     all video files under DIR; the folder named sub-... that a file lies in is its subject,
            else the top folder under DIR, else the name up to the first _; who is who is printed
  reviewed  <video>/reviewed.csv or <video>.reviewed.csv, which the review page of `spot` saves,
            anywhere under DIR; the accepted intervals are the labels. The video files lie under DIR
            too, or under --videos. Crops are posed by default, as the weights of the package need
  bank      a bank of frames, made into one of region motion

BANK then holds videos.csv, annotations.csv, frames/, quality/, bank.json, and repairs.csv: every
label that was mended or left out, with its row in the file and the rule; how many is printed. Names
of videos are matched without ending, folder and case. Labels without their video, and videos
without labels, are no mistake, unless over half of the labels fit no video; those of a release may
do so. --labels takes a workbook, its label sheet saved as CSV, or an annotations.csv; all are
mended by the same rules. For csv, video, openface and bank, it also takes a file of ELAN, BORIS or
MEGC, or a folder of .eaf files, see `jaxspot evaluate`; times become frames by the frame rate of
the video. The bank of a pack holds motion/ in place of frames/; so does any other with --motion.

A run that was cut is resumed by the same command; no finished video is done again. Videos that
cannot be read are named in a line each, the others are done; the exit code is 2 then.

examples:
  jaxspot prepare --dataset=samm_lv --source=SAMM-LV --out=banks/samm_lv
  jaxspot train --config=samm_lv --config.data.bank=banks/samm_lv --out=runs/samm_lv
  jaxspot prepare --dataset=cas_me2 --source=pack --labels=CAS.xlsx --out=banks/cas_motion
  jaxspot prepare --dataset=video --source=recordings --out=banks/mine --dry-run
  jaxspot prepare --dataset=video --source=recordings --align=posed --out=banks/posed
  jaxspot prepare --dataset=csv --source=recordings --motion --out=banks/my_motion
  jaxspot prepare --dataset=bank --source=banks/mine --out=banks/my_motion
  jaxspot prepare --dataset=reviewed --source=spotted --videos=recordings --out=banks/ours
"""
DATASETS = (
    "samm_lv",
    "cas_me2",
    "cas_me3",
    "smic_long",
    "openface",
    "csv",
    "video",
    "bank",
    "reviewed",
)

MOST_NAMED = 4


@command
def main(argv: Sequence[str]) -> int:
    """Writes a frame bank; returns the exit code."""
    parser = command_parser("prepare", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--dataset", required=True, choices=DATASETS, help="see below")
    flag("--source", required=True, metavar="DIR", help="where the data set lies")
    flag("--out", metavar="BANK", help="the bank's folder; needed but for --dry-run")
    flag(
        "--face",
        choices=("largest", "left", "right"),
        default="largest",
        help="which face to follow, as the picture shows it (default: %(default)s)",
    )
    flag("--no-smoothing", action="store_true", help="align each frame by its own landmarks alone")
    flag(
        "--align",
        choices=("similarity", "posed"),
        help="posed: turn each face to the front, whatever way the head turns (default: similarity,"
        " as the paper; for reviewed: posed)",
    )
    flag("--motion", action="store_true", help="write the region motion of the pictures instead")
    flag("--workers", type=int, metavar="N", help="processes; one a core by default")
    flag("--skip-broken", action="store_true", help="leave out videos that cannot be read")
    flag("--dry-run", action="store_true", help="say what would be done; write nothing")
    flag(
        "--labels-only",
        action="store_true",
        help="write annotations.csv and repairs.csv alone, into the bank if BANK holds one",
    )
    flags = parse_source_flags(parser, argv)
    if not flags.out and not flags.dry_run:
        parser.error("--out is missing: the folder of the bank")
    if flags.workers is not None and flags.workers < 1:
        parser.error("--workers must be 1 or more")
    from jaxspot.datasets import prepare as work
    from jaxspot.datasets.checks import format_checks
    from jaxspot.datasets.doctor import doctor_source, read_repairs
    from jaxspot.datasets.doubles import ONE_COPY, SAME, same_videos
    from jaxspot.datasets.look import look_over, say_combed
    from jaxspot.datasets.prepare_video import Alignment
    from jaxspot.datasets.rates import say_uneven

    source = find_source(flags)
    if flags.motion and not source.regions:
        source = replace(source, measure=True)
    align = flags.align or ("posed" if flags.dataset == "reviewed" else "similarity")
    posed = align == "posed" and not (flags.motion and not flags.align)
    alignment = Alignment(flags.face, not flags.no_smoothing, posed)
    work.refuse_posing(source, alignment)
    doubts = (*source.rates, *say_combed(source), *say_alike(source.videos))
    for line in (*source.notes, *source.assumed, *doubts):
        print(line)
    if flags.dry_run:
        print(format_checks(doctor_source(source)))
        frames = int(look_over(source)[0].frames.sum())
        print(f"\nwould write {planned(frames, source.kept)}; wrote nothing")
        return 0
    if flags.labels_only:
        labels = work.relabel(source, flags.out)
        print(f"{len(labels.annotations)} labels, {len(labels.repairs)} repairs in {flags.out}")
        for line in say_labels(
            labels.annotations, labels.repairs, Path(flags.out), look_over(source)[0]
        ):
            print(line)
        print(f"open {Path(flags.out) / 'annotations.csv'}")
        return 0
    bank = work.prepare(
        source,
        Path(flags.out),
        alignment=alignment,
        skip_broken=flags.skip_broken,
        workers=flags.workers,
    )
    for line in say_labels(bank.annotations, read_repairs(bank.root), bank.root, bank.videos):
        print(line)
    for line in say_uneven(bank.videos, bank.meta["source"]["videos"]):
        print(line)
    if same := same_videos(bank):
        print(f"{SAME}: {'; '.join(same)}; {ONE_COPY}")
    print(summary(bank))
    return 0


def parse_source_flags(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parses arguments, with the flags that say how a data set is read."""
    flag = parser.add_argument
    flag(
        "--labels",
        metavar="FILE",
        help="workbook, CSV of its label sheet, annotations.csv, a folder of .eaf, or see below",
    )
    flag("--fps", type=float, metavar="N", help="frame rate of openface, if not that of its CSV")
    flag("--videos", metavar="DIR", help="where the videos of reviewed lie, if not in --source")
    add_rules_flag(parser)
    flags = parser.parse_args(argv)
    if flags.fps is not None and flags.dataset != "openface":
        parser.error(
            "--fps goes with --dataset=openface; for other videos use --dataset=csv and name the"
            " rate in its videos.csv"
        )
    if flags.videos is not None and flags.dataset != "reviewed":
        parser.error("--videos goes with --dataset=reviewed")
    return flags


def find_source(flags: Any) -> Any:
    """The data set that the flags name; raises UserError if it is not there."""
    from jaxspot.datasets import folders, later_releases, releases, reviewed

    readers = dict(
        samm_lv=releases.samm_lv_source,
        cas_me2=releases.cas_me2_source,
        cas_me3=later_releases.cas_me3_source,
        smic_long=later_releases.smic_long_source,
        openface=partial(folders.openface_source, fps=flags.fps),
        csv=folders.csv_source,
        video=folders.video_source,
        bank=folders.bank_source,
        reviewed=partial(
            reviewed.reviewed_source, videos=flags.videos, face=getattr(flags, "face", None)
        ),
    )
    return readers[flags.dataset](flags.source, labels=flags.labels, rules=flags.rules)


def say_alike(videos: Any) -> list[str]:
    """A line on subjects whose names are nearly the same."""
    from jaxspot.datasets.doubles import ALIKE, ONE_NAME, alike_subjects

    found = alike_subjects(video.subject for video in videos)
    return [f"{ALIKE}: {'; '.join(found)}; {ONE_NAME}"] * bool(found)


def say_labels(annotations: Any, repairs: Any, out: Path, videos: Any) -> list[str]:
    """Lines on labels that were mended or left out, and on such as can hardly be right."""
    from jaxspot.annotations.plausible import doubt_units, marked_twice, say_two_kinds
    from jaxspot.annotations.repairs import REPAIRS, count_repairs
    from jaxspot.evaluation.doubts import videos_without

    counted = count_repairs(repairs)
    lines = [f"{counted}: see {out / REPAIRS}"] if counted else []
    twice = marked_twice(annotations)
    if twice:
        lines.append(f"labels of one kind overlap by half ({twice[0]}); are they of two coders?")
    bare = videos_without(annotations, videos)
    if bare and len(annotations):
        more = ", ..." if len(bare) > MOST_NAMED else ""
        names = ", ".join(bare[:MOST_NAMED]) + more
        lines.append(f"{len(bare)} of {len(videos)} videos have no label ({names})")
    return lines + say_two_kinds(annotations) + doubt_units(annotations, videos)


def planned(frames: int, regions: Any) -> str:
    """What a bank of so many frames will hold, and how large it will be."""
    if not regions:
        return f"{frames:,} frames, {frames * 12_552 / 1e9:.2f} GB"
    rows = frames // regions.every
    size = rows * len(regions.names) * 8 + frames * 8
    return f"{rows:,} rows of region motion, {size / 1e9:.2f} GB"


def summary(bank: Any) -> str:
    """A finished bank in a few lines."""
    kinds = bank.annotations.kind.value_counts()
    frames = int(bank.videos.frames.sum())
    found = sum(video["found"] for video in bank.meta["source"]["videos"].values())
    held = f"{frames} frames"
    if bank.regions:
        rows = sum(len(bank.motion(video)) for video in bank.videos.video)
        held = f"{rows} rows with region motion"
    if not bank.regions or found < frames:
        held += f" ({found / frames:.1%} with a face)"
    check = as_called(f"jaxspot doctor --bank={shlex.quote(str(bank.root))}")
    return (
        f"{bank.root}: {bank.videos.subject.nunique()} subjects, {len(bank.videos)} videos,"
        f" {held}, {kinds.get('MaE', 0)} MaE and"
        f" {kinds.get('ME', 0)} ME\ncheck it: {check}\nopen {bank.root / 'videos.csv'}"
    )
