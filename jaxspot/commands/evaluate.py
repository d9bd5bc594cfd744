"""Scores predicted intervals against labels, your own or as published; needs no bank, no jax."""

from collections.abc import Sequence
from pathlib import Path

from jaxspot.annotations.repairs import REPAIRS, count_repairs
from jaxspot.commands.rules_flag import add_rules_flag
from jaxspot.commands.running import command, command_parser
from jaxspot.evaluation.matching import MATCHING_RULES
from jaxspot.evaluation.score_files import evaluate_files, format_scores

EPILOG = """\
Frames count from 1 and intervals include both ends. kind is ME (micro) or MaE (macro).

  videos.csv       subject,video,frames,fps            every video scored, also unlabelled ones
  annotations.csv  subject,video,kind,onset,offset     apex if known; a cell of it may be blank
  intervals.csv    subject,video,kind,onset,offset     further columns are ignored

  Of a reviewed table (column verdict), labels are the accepted rows, predictions all but the
  rejected ones.

labels as published:
  --annotations also takes the workbook of SAMM-LV or CAS(ME)^2 (.xlsx), or its label sheet saved as
  CSV. Videos are then named as `prepare` names them, '006_1' or 's15_0401': take the videos.csv of
  the bank, or write such a table. Labels of a release whose video is not in it are left out. A lone
  sheet of CAS(ME)^2 does not say who its participants are: 1 to 22 are those of the release.

  Labels are mended by the rules of `prepare`, also those of an annotations.csv: an onset of 0 or a
  fraction of a frame, a missing offset or apex, an end past the video. Each is listed in
  DIR/repairs.csv: file, row, rule, before, after. Without a column apex nothing is missing. Still
  refused are a text in place of a frame, a reversed interval whose apex says no better, an unknown
  kind, and, in an annotations.csv, a video that is not in videos.csv. Predictions are never mended.

files of other programs, as labels or as predictions:
  ELAN      talk.eaf, or its export as tab-delimited text; the tier or the annotation begins with
            ME or MaE (or micro, macro)
  BORIS     talk.boris, or an export of events as .tsv or .csv; so does the behavior
  MEGC      a submission: vid,pred_onset,pred_offset,type (me, mae); in frames
  The video is the media file named in it, without folder and ending; without one, the text file
  itself, or BORIS's observation. Times become frames by the fps of videos.csv.

protocols:
  one_to_one  an interval is used once; as many pairs as possible
  megc2020    the organisers' rule: one prediction may find several labels, so F1 can pass 1

example:
  jaxspot evaluate --videos=videos.csv --annotations=annotations.csv \\
      --intervals=mine.csv --protocol=one_to_one --out=scores

example, the labels of SAMM-LV as released:
  jaxspot evaluate --videos=banks/samm_lv/videos.csv \\
      --annotations=SAMM_LongVideos_V3_Release.xlsx --intervals=mine.csv --out=scores
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes scores.json, lists mended labels and prints the table; returns the exit code."""
    parser = command_parser("evaluate", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--videos", required=True, metavar="CSV", help="table of all videos")
    flag(
        "--annotations",
        required=True,
        metavar="FILE",
        help="ground truth: CSV, workbook, or see below",
    )
    flag("--intervals", required=True, metavar="FILE", help="predictions: CSV, or see below")
    flag(
        "--protocol",
        choices=MATCHING_RULES,
        default="one_to_one",
        help="how predictions are matched, see above (default: %(default)s)",
    )
    flag("--out", required=True, metavar="DIR", help="scores.json goes here")
    add_rules_flag(parser)
    flags = parser.parse_args(argv)
    done = evaluate_files(
        flags.videos,
        flags.annotations,
        flags.intervals,
        matching=flags.protocol,
        out=flags.out,
        rules=flags.rules,
    )
    if len(done.repairs):
        print(f"{count_repairs(done.repairs)}: see {Path(flags.out) / REPAIRS}\n")
    for line in done.doubts:
        print(f"{line}\n")
    if done.rejected:
        print(f"{flags.intervals}: rejected intervals, left out: {done.rejected}\n")
    print(f"{format_scores(done.scores)}\nopen {Path(flags.out) / 'scores.json'}")
    return 0
