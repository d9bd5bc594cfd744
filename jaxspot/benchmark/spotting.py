"""Rows of `jaxspot spot`: its parts on one core, and all workers against one."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import av
import numpy as np

from jaxspot.benchmark.measure import Machine, Row, compare_speed, one_opencv_thread
from jaxspot.benchmark.preparing import head_pictures
from jaxspot.faces.takes import write_video
from jaxspot.motion.pictures import motion_clip
from jaxspot.own_video.videos import spot_videos
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.video.posed_reading import Reading, read_posed
from jaxspot.video.shown import ShownFrames
from jaxspot.video.source import as_source
from jaxspot.workers import Pool, core_count

FPS = 30.0


def spot_parts(_: Machine, *, frames: int = 300) -> list[Row]:
    """Parts of spotting a video of 640x480 with the weights of the package.

    Decoding, tracking, posing and cropping; region motion in their place; the networks.
    """
    with videos(1, frames=frames) as (folder, (path,)), one_opencv_thread():
        read = partial(read_posed, Reading(partial(as_source, path), folder), Pool())
        clip, spotter = read(), load_spotter()
        shown = ShownFrames(clip.frames, clip.found)
        parts = {
            "spot: crops": read,
            "spot: region motion": partial(motion_clip, path, progress=False),
            "spot: networks": partial(spotter.score, shown, clip.fps),
        }
        rate = lambda seconds: frames / seconds
        rows = [
            compare_speed(name, part, {}, unit="frames/s", convert=rate, rounds=3)
            for name, part in parts.items()
        ]
        return list(itertools.chain(*rows))


def spot_long(_: Machine, *, frames: int = 1800) -> list[Row]:
    """A minute from the file to its results: stretches side by side against one worker."""
    return _workers("spot_long", count=1, frames=frames)


def spot_two(_: Machine, *, frames: int = 900) -> list[Row]:
    """Two videos of half a minute at once, against one after the other by one worker."""
    return _workers("spot_two", count=2, frames=frames)


def _workers(name, *, count, frames):
    with videos(count, frames=frames) as (folder, paths):
        numbers = itertools.count()

        def spot(workers: int) -> None:
            out = folder / f"out{next(numbers)}"
            spot_videos(paths, out=out, workers=workers, progress=False, say=lambda line: None)

        def alone() -> None:
            with one_opencv_thread():
                spot(1)

        every_core, peers = partial(spot, core_count()), {"one worker": alone}
        rate = lambda seconds: count * frames / seconds
        return compare_speed(name, every_core, peers, unit="frames/s", convert=rate, rounds=1)


@contextmanager
def videos(count: int, *, frames: int) -> Iterator[tuple[Path, list[Path]]]:
    """A folder, and in it videos of synthetic heads in the middle of gray pictures of 640x480."""
    with tempfile.TemporaryDirectory(prefix="spotting-") as name:
        folder = Path(name)
        paths = [folder / f"v{number}.mp4" for number in range(count)]
        for number, path in enumerate(paths):
            write_head(path, number, frames)
        yield folder, paths


def write_head(path: Path, person: int, frames: int) -> None:
    """Writes a video of a head."""
    gray = head_pictures(person, frames)
    write_video(path, (np.repeat(picture[..., None], 3, axis=2) for picture in gray), FPS)


def long_video(frames: int, *, part: int = 1800) -> Callable[[], object]:
    """A call that spots a video of so many frames, in one process: a part of it again and again."""
    folder = tempfile.TemporaryDirectory(prefix="spotting-")
    once, path = Path(folder.name) / "once.mp4", Path(folder.name) / "long.mp4"
    write_head(once, 0, min(part, frames))
    repeat_video(once, path, times=-(-frames // part))

    def spot() -> None:
        with folder, one_opencv_thread():
            spot_videos(path, out=Path(folder.name) / "out", progress=False, say=lambda line: None)

    return spot


def repeat_video(source: Path, path: Path, *, times: int) -> None:
    """Writes a video that shows another so often, without encoding it again."""
    with av.open(str(path), "w", format="mp4") as target:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as file:
                shown = file.streams.video[0]
                stream = stream or target.add_stream_from_template(shown)
                end = shift
                for packet in file.demux(shown):
                    if packet.dts is None or packet.pts is None:  # the end
                        continue
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    target.mux(packet)
                shift = end
