"""Turns a table of intervals into files of annotation tools."""

from collections.abc import Sequence
from pathlib import Path

from jaxspot.commands.running import command, command_parser

EPILOG = """\
formats:
  elan         VIDEO.eaf          ELAN: a tier for each kind and face
  boris        VIDEO.boris        BORIS 7 or later: a project, ME and MaE are state events
  textgrid     VIDEO.TextGrid     Praat
  webvtt, srt  VIDEO.vtt, .srt    captions for video players
  xlsx         VIDEO.xlsx         a workbook
  bids         VIDEO_events.tsv   BIDS, with VIDEO_events.json about its columns
  activitynet  VIDEO_activitynet.json  for temporal action detection: predictions and ground truth
  megc2022     VIDEO_megc2022.csv      a submission to MEGC 2022 (vid,pred_onset,pred_offset,type)
  megc2020     VIDEO_megc2020.txt      the log of MEGC 2020; it needs the labels of a release

INTERVALS is an intervals.csv of `jaxspot spot`, a reviewed.csv (rejected rows are left out), or any
CSV with video, kind, onset, offset. Files for all its videos are named after it, if there are
several. Without onset_s and offset_s, times are those of the frames of the video: name it by
--video. Paths in the files are relative, so keep video and files in the same places.

examples:
  jaxspot export spotted/talk/intervals.csv --to=elan,boris --video=talk.mp4
  jaxspot export runs/demo/intervals.csv --to=megc2022 --out=submission
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes the files and names them; returns the exit code."""
    parser = command_parser("export", __doc__, EPILOG)
    flag = parser.add_argument
    flag("intervals", metavar="INTERVALS", help="a CSV of intervals, of one or many videos")
    flag("--to", required=True, metavar="FORMATS", help="formats, separated by commas; see below")
    flag(
        "--video",
        action="append",
        default=[],
        metavar="FILE",
        help="the video that the intervals are of; once for each of several",
    )
    flag("--labels", metavar="FILE", help="the release's workbook, for megc2020")
    flag("--out", metavar="DIR", help="their folder (default: that of INTERVALS)")
    flags = parser.parse_args(argv)
    from jaxspot.exports.formats import export_file, parse_formats

    written = export_file(
        flags.intervals,
        parse_formats(flags.to),
        out=flags.out or Path(flags.intervals).parent,
        videos=flags.video,
        labels=flags.labels,
    )
    for note in written.notes:
        print(note)
    for path in written:
        print(f"wrote {path}")
    return 0
