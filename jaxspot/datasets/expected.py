"""What the papers and releases say of SAMM-LV and CAS(ME)^2, to hold a copy on disk against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A released data set: frames a second, subjects, videos, frames and labels in all.

    From the paper: `inclusive`, whether k counts both ends of an interval; `k`, the frame skips
    (Table 3); `ratio`, move-to-neutral (section 3.2); `seconds`, the shortest, mean and longest
    expression of each kind (Table 2).
    """

    fps: float
    subjects: int
    videos: int
    frames: int
    labels: dict[str, int]
    inclusive: bool
    k: dict[str, int]
    ratio: float
    seconds: dict[str, tuple[float, float, float]]


EXPECTED = {
    "samm_lv": Expected(
        fps=200.0,
        subjects=30,
        videos=147,
        frames=482_797,
        labels={"ME": 159, "MaE": 343},
        inclusive=True,
        k={"ME": 37, "MaE": 217},
        ratio=0.40,
        seconds={"ME": (0.15, 0.37, 0.51), "MaE": (0.51, 2.17, 25.88)},
    ),
    "cas_me2": Expected(
        fps=30.0,
        subjects=22,
        videos=98,
        frames=254_094,
        labels={"ME": 57, "MaE": 300},
        inclusive=False,
        k={"ME": 6, "MaE": 19},
        ratio=0.05,
        seconds={"ME": (0.27, 0.42, 0.53), "MaE": (0.10, 1.25, 3.90)},
    ),
}
