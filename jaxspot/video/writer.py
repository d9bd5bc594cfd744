"""The frames or the region motion of one video on their way into a bank."""

import contextlib
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError
from jaxspot.files import whole_file

SIZE = 112
LONGEST_NAME = 200  # bytes; most disks take 255, and part of it is ours
BAD_NAME = (
    f"its files are named after it; use at most {LONGEST_NAME} bytes of UTF-8 without / and \\,"
    " without a first . and without blanks at the ends"
)


def save_video(root: str | Path, video: str, frames: np.ndarray, quality: np.ndarray) -> None:
    """Writes a video's frames uint8 (T, 112, 112) and quality into a bank, each file whole or not.

    `quality` is float32 (T, 2): face found 0/1, confidence. UserError: a name that cannot be that
    of a file, or no frame. ValueError: another shape or dtype.
    """
    if frames.dtype != np.uint8 or frames.ndim != 3 or frames.shape[1:] != (SIZE, SIZE):
        raise ValueError(f"frames must be uint8 (frames, {SIZE}, {SIZE}), not {frames.shape}")
    if quality.dtype != np.float32 or quality.shape != (len(frames), 2):
        raise ValueError(f"quality must be float32 ({len(frames)}, 2), not {quality.shape}")
    if not len(frames):
        raise UserError(f"video {video!r}: has no frames; leave it out of the bank")
    with video_writer(root, video) as write:
        for image, (found, confidence) in zip(frames, quality, strict=True):
            write(image, found=found, confidence=confidence)


def save_motion(root: str | Path, video: str, motion: np.ndarray, quality: np.ndarray) -> None:
    """Writes a video's region motion float32 (rows, regions, 2) and quality into a bank.

    See `Bank.motion`; `quality` is as in `save_video`, a row for each frame of the video. Each file
    appears whole or not at all. UserError: a name that cannot be that of a file. ValueError:
    another shape or dtype, or a value that is not finite.
    """
    if not is_file_name(video):
        raise UserError(f"video {video!r}: {BAD_NAME}")
    if motion.dtype != np.float32 or motion.ndim != 3 or motion.shape[2] != 2 or not len(motion):
        raise ValueError(f"motion must be float32 (rows, regions, 2), not {motion.shape}")
    if quality.dtype != np.float32 or quality.ndim != 2 or quality.shape[1] != 2:
        raise ValueError(f"quality must be float32 (frames, 2), not {quality.shape}")
    if not np.isfinite(motion).all():
        raise ValueError("motion must be finite")
    for folder, values in (("motion", motion), ("quality", quality)):
        path = Path(root) / folder / f"{video}.npy"
        with whole_file(path) as partial, open(partial, "wb") as file:
            np.save(file, values)


@contextlib.contextmanager
def video_writer(root: str | Path, video: str) -> Iterator[Callable[..., None]]:
    """Writes one video frame by frame, in constant memory; its files appear whole or not at all.

    Gives `write(image, *, found, confidence)`: uint8 (112, 112), whether a face was found (0 or 1),
    and how surely (0..1). Meanwhile the frames are in `frames/.<video>.npy.<process>.part`.
    UserError: a name that cannot be that of a file, or no frame.
    """
    with _writer(root, video, "frames", np.dtype(np.uint8), (SIZE, SIZE)) as write:
        yield write


@contextlib.contextmanager
def motion_writer(root: str | Path, video: str, *, regions: int) -> Iterator[Callable[..., None]]:
    """Writes region motion of one video frame by frame; it is to `save_motion` what `video_writer`
    is to `save_video`, and `write` takes float32 (regions, 2) in place of an image.
    """
    with _writer(root, video, "motion", np.dtype(np.float32), (regions, 2)) as write:
        yield write


@contextlib.contextmanager
def _writer(root, video, folder, dtype, shape):
    if not is_file_name(video):
        raise UserError(f"video {video!r}: {BAD_NAME}")
    quality = array("f")
    with whole_file(Path(root) / folder / f"{video}.npy") as partial, open(partial, "wb") as file:
        _write_header(file, dtype, (0, *shape))

        def write(values: np.ndarray, *, found: float, confidence: float) -> None:
            if values.dtype != dtype or values.shape != shape:
                raise ValueError(f"a frame is {dtype} {shape}, not {values.shape}")
            file.write(np.ascontiguousarray(values).data)
            quality.extend((found, confidence))

        yield write
        length = len(quality) // 2
        if not length:
            raise UserError(f"video {video!r}: has no frames; leave it out of the bank")
        file.seek(0)
        _write_header(file, dtype, (length, *shape))
        file.flush()
        with (
            whole_file(Path(root) / "quality" / f"{video}.npy") as partial,
            open(partial, "wb") as beside,
        ):
            np.save(beside, np.array(quality, np.float32).reshape(-1, 2))


def is_file_name(video: str) -> bool:
    """Whether the files of a video can be named after it, inside the bank."""
    try:
        size = len(video.encode("utf-8"))
    except UnicodeEncodeError:  # names of files on disk may hold any bytes
        return False
    plain = not any(sign < " " or sign in "/\\\x7f" for sign in video)
    whole = video == video.strip() and not video.startswith(".")
    return 0 < size <= LONGEST_NAME and plain and whole


def _write_header(file, dtype, shape):
    # numpy leaves room in a header for the first length to grow, so that it can be written again.
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
