"""Makes the review page of a spotted video again."""

from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser

EPILOG = """\
DIR is the folder of one video that `jaxspot spot` wrote: it holds frames.csv and intervals.csv.
DIR/review.html opens in a browser without a network. It plays the video from where it is, and shows
no face by itself unless --include-frames.

A review that was begun goes on where the intervals are still the same.

examples:
  jaxspot review spotted/talk
  jaxspot review --video=/new/place/talk.mp4 spotted/talk
  jaxspot review --include-frames spotted/talk
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes the page of each folder; returns the exit code."""
    parser = command_parser("review", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--video", metavar="FILE", help="where the video is now (default: where it was spotted)")
    flag(
        "--include-frames",
        action="store_true",
        help="put small pictures of the face at onset, apex and offset into the page; whoever gets"
        " the page then sees the face",
    )
    flag("folder", metavar="DIR", help="the folder of a spotted video")
    flags = parser.parse_args(argv)
    from jaxspot.review.page import write_review

    path = write_review(flags.folder, flags.video, include_frames=flags.include_frames)
    print(f"open {path}")
    return 0
