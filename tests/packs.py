"""Small packs of region motion in the layout of the real ones, from random walks."""

import numpy as np
from release_sheets import write_cas_me2, write_samm_lv
from release_trees import CAS_PARTICIPANTS

REGIONS = 12
CAS_PACK = {"casme_015_0101": 300, "casme_016_0401": 512, "casme_023_0102": 40}
SAMM_PACK = {"samm_006_1": 2000, "samm_007_3": 2400, "samm_016_7": 3001, "samm_020_6": 77}
CAS_ROWS = [
    ("s15", "s15_0101", "MaE", 6, 13, 0),  # no offset: falls as long as it rose
    ("s16", "s16_0401", "ME", 250, 256, 261),
    ("s23", "s23_0102", "ME", 33, 36, 44),  # past the end
]
CAS_LABELS = [
    ("s15", "s15_0101", "MaE", 6, 13, 20),
    ("s16", "s16_0401", "ME", 250, 256, 261),
    ("s23", "s23_0102", "ME", 33, 36, 40),
]
SAMM_LABELS = [
    ("006", "006_1", "ME", 1, 40, 83),
    ("007", "007_3", "MaE", 1203, 1301, 1999),
    ("016", "016_7", "ME", 2941, 2979, 3001),  # to the last native frame
]


def walks(names, *, seed=0):
    """Name -> where each region is in every frame of a video: float32 (frames, 12, 2).

    `names` gives frames at the release's own rate. 1.0 is 20 pixels of a face box of 500. Every
    position is a multiple of 1/4096, so that differences are exact.
    """
    rng = np.random.default_rng(seed)
    steps = lambda frames: rng.integers(-60, 61, (frames, REGIONS, 2))
    return {n: (np.cumsum(steps(t), 0) / 4096).astype(np.float32) for n, t in names.items()}


def write_pack(root, positions, *, every=1, top="feature_segment"):
    """Writes segments as `top/train/<subject>/<video>_<start>.npz`; returns their folder.

    The segments of a video take turns in being float64 and float32, as in the real pack.
    """
    folder = root / top / "train"
    for name, places in positions.items():
        values = np.diff(places[::every], axis=0)
        segments = -(-len(values) // 256)
        padded = np.zeros((7 + 256 * segments + 7, REGIONS, 2))
        padded[7 : 7 + len(values)] = values
        of_subject = folder / "_".join(name.split("_")[:2])
        of_subject.mkdir(parents=True, exist_ok=True)
        for start in range(0, 256 * segments, 256):
            np.savez_compressed(
                of_subject / f"{name}_{start:04d}.npz",
                feature=padded[start : start + 270].astype(
                    np.float32 if start % 512 else np.float64
                ),
                label=np.zeros((270, 8), np.int64),
                video_name=np.array(name),
            )
    return folder


def change(path, edit):
    """Writes a segment again with `feature` as `edit(feature)` gives it."""
    with np.load(path) as file:
        arrays = dict(file)
    np.savez_compressed(path, **arrays | {"feature": edit(arrays["feature"].copy())})


def cas_pack(root, *, seed=0):
    """A folder with a pack of CAS(ME)^2 and its workbook; returns it."""
    write_pack(root, walks(CAS_PACK, seed=seed))
    write_cas_me2(root / "code_final.xlsx", CAS_ROWS, participants=CAS_PARTICIPANTS)
    return root


def samm_pack(root, *, seed=1):
    """A folder with a pack of SAMM-LV and its workbook; returns it."""
    write_pack(root, walks(SAMM_PACK, seed=seed), every=8, top="feature_segment_25")
    write_samm_lv(root / "labels.xlsx", SAMM_LABELS)
    return root
