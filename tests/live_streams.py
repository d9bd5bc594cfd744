"""Streams and spotters for the tests of `jaxspot.live`."""

from made_spotters import untrained

from jaxspot.live.sources import Arrival, Stream

EARLIER = (("ME", 1.0), ("MaE", 0.5), ("MaE", 1.0))
FPS = 15.0


def causal(**fields):
    """An untrained spotter of two networks with earlier references only."""
    return untrained(**dict(trunk="motion", references=EARLIER) | fields)


def stream_of(pictures, *, left_out=(), fps=FPS):
    """Pictures as a stream that waits until they are taken, but for the numbers left out."""
    arrivals = (
        Arrival(number, number / fps, image, 0.0)
        for number, image in enumerate(pictures)
        if number not in left_out
    )
    return Stream("made", fps, True, arrivals)
