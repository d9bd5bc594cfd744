"""The row `prepare`: image folders into a frame bank, every core against one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from jaxspot.benchmark.measure import Machine, Row, compare_speed, one_opencv_thread
from jaxspot.datasets.dataset import Dataset, SourceVideo
from jaxspot.datasets.prepare import prepare as prepare_bank
from jaxspot.synthetic.generate import synthesise_video
from jaxspot.workers import core_count


def prepare(_: Machine, *, videos: int = 4, frames: int = 300) -> list[Row]:
    """Reading, tracking, aligning and writing JPEGs of 640x480, processes and networks started."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = make_source(root / "source", videos=videos, frames=frames)
        count = iter(range(10**6))
        run = lambda workers: prepare_bank(
            source, root / f"bank{next(count)}", workers=workers, progress=False
        )

        def on_one_core():
            with one_opencv_thread():
                return run(1)

        every_core, peers = lambda: run(core_count()), {"one core": on_one_core}
        rate = lambda seconds: videos * frames / seconds
        return compare_speed("prepare", every_core, peers, unit="frames/s", convert=rate, rounds=1)


def head_pictures(person: int, frames: int) -> Iterator[np.ndarray]:
    """Gray pictures uint8 (480, 640) at 30 fps: a synthetic head in the middle."""
    pixels, _ = synthesise_video(subject=person, seconds=max(8.0, frames / 30))
    for face in pixels[:frames]:
        large = cv2.resize(face, (320, 320))
        yield cv2.copyMakeBorder(large, 80, 80, 160, 160, cv2.BORDER_CONSTANT, value=[120])


def make_source(root: Path, *, videos: int, frames: int) -> Dataset:
    """Synthetic heads in the middle of gray pictures, each video a folder of images."""
    made = []
    for subject in range(videos):
        place = root / f"v{subject}"
        place.mkdir(parents=True)
        for number, picture in enumerate(head_pictures(subject, frames), 1):
            cv2.imwrite(str(place / f"{number}.jpg"), picture)
        made.append(SourceVideo(f"s{subject}", f"v{subject}", place, 30.0))
    return Dataset("csv", root, tuple(made))
