"""What files of a video are named after, and which file a name in a table means."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jaxspot.errors import UserError
from jaxspot.video.writer import LONGEST_NAME, is_file_name

BAD_STEM = (
    f"its files are named after it; use at most {LONGEST_NAME} bytes of UTF-8 without \\, and in"
    " each part between / no first . and no blanks at the ends"
)
UNPRINTABLE = "the name of the video or subject holds signs that cannot be printed"


def file_stem(video: str) -> str:
    """The name of a video as that of a file: `s1/talk` as `s1_talk`."""
    return video.replace("/", "_")


def is_stem(video: str) -> bool:
    """Whether files can be named after a video, in one folder."""
    return all(map(is_file_name, [*video.split("/"), file_stem(video)]))


def check_names(videos: Iterable[tuple[str, str]]) -> None:
    """Refuses, by a UserError, a (video, subject) that a table to export may not hold."""
    for video, subject in videos:
        if not is_stem(video):
            raise UserError(f"--export: video {video!r}: {BAD_STEM}")
        if not (video + subject).isprintable():
            raise UserError(f"--export: video {video!r}: {UNPRINTABLE}")


def refuse_one_stem(path: str | Path, videos: Sequence[str]) -> None:
    """Raises UserError where files of two videos would have one name."""
    seen: dict[str, str] = {}
    for video in videos:
        other = seen.setdefault(file_stem(video), video)
        if other != video:
            raise UserError(
                f"{path}: the files of {other!r} and {video!r} would have one name; rename one"
            )


def files_by_name(videos: Sequence[str | Path], names: Sequence[str]) -> dict[str, Path]:
    """Name -> file: the name in the table that the end of its path has, else its own.

    `names` may have folders and an ending, as those that `spot` gives: s1/talk, s1/talk.mp4. Of one
    name with folders that no path has, it is the file of its last part.

    UserError: a file that is not there, or two of one name.
    """
    files: dict[str, Path] = {}
    for video in map(Path, videos):
        if not video.exists():
            raise UserError(f"{video}: no such video file; check the path")
        name = _name_of(video, names)
        if name in files:
            raise UserError(f"{video}: has the same name as {files[name]}; export them apart")
        files[name] = video
    return files


def say_moved(files: Mapping[str, Path]) -> Iterator[str]:
    """A line on each file that is known by the last part of its name alone."""
    for name, video in files.items():
        if "/" in name and not _ends_with(video, name):
            yield f"{name}: taken to be {video}, which lies in another folder"


def _name_of(video, names):
    own = [name for name in names if _ends_with(video, name)]
    last = [name for name in names if name.rpartition("/")[2] in (video.stem, video.name)]
    if own:
        return max(own, key=len)
    return last[0] if len(last) == 1 else video.stem


def _ends_with(video, name):
    place = video.absolute()
    ends = [place.as_posix(), place.with_suffix("").as_posix()]
    return any(f"/{end}".endswith(f"/{name}") for end in ends)
