"""How far places of a face truly move in a synthetic video, from the warp that draws it."""

from collections.abc import Callable

import cv2
import numpy as np

from jaxspot.errors import UserError
from jaxspot.motion.measure import nose_rectangle
from jaxspot.motion.pictures import crop_places
from jaxspot.synthetic.difficulty import difficulty_from
from jaxspot.synthetic.generate import Plan, plan_video
from jaxspot.synthetic.heads import CROP
from jaxspot.synthetic.render import MARGIN, canvas_matrix, mix, on_grid, read
from jaxspot.video.bank import Bank
from jaxspot.video.landmarker import load_landmarker

STEPS = 8
"""Steps of the inversion of a backward warp; each shrinks the error by the field's slope."""
SCENE = ("seconds", "fps", "mae_per_minute", "me_per_minute", "seed")
"""Settings of a bank's scene, as `bank.json` names them."""


def true_places(plan: Plan, places: np.ndarray) -> np.ndarray:
    """Where points of the skin lie in every frame of a plan: float64 (T, n, 2).

    `places` (n, 2) are the points on the resting face (`resting_face`). Everything is in pixels of
    the 112 crop, right and down.
    """
    fields = np.concatenate([plan.person.offsets, plan.turns.fields])
    moves = np.column_stack([plan.weights, plan.turns.amounts])
    rest = np.asarray(places, np.float64) + MARGIN
    found = np.empty((len(moves), *rest.shape))
    for frame, field in enumerate(mix(moves.astype(np.float32), fields)):
        now = rest
        for _ in range(STEPS):
            where = on_grid(now.astype(np.float32)[:, None], len(field))
            now = rest - read(field, where)[:, 0].astype(np.float64)
        to_crop = cv2.invertAffineTransform(canvas_matrix(plan.course, frame))
        found[frame] = now @ to_crop[:, :2].T + to_crop[:, 2]
    return found


def resting_face(plan: Plan) -> np.ndarray:
    """The crop of a plan's person without expression and head motion: uint8 (112, 112)."""
    inside = slice(int(MARGIN), int(MARGIN) + CROP)
    return np.round(plan.person.neutral[inside, inside]).astype(np.uint8)


def true_region_motion(plan: Plan, places: np.ndarray) -> np.ndarray:
    """True region motion of a synthetic video: float64 (T, 12, 2), as `Bank.motion` defines it.

    `places` (14, 2) are the regions and the two nose points on the resting face, as
    `region_places` gives them. The motion of the nose is the mean over its whole patch.
    """
    low, high = nose_rectangle(places)
    nose = np.stack(np.meshgrid(*np.linspace(low, high, 9).T), -1).reshape(-1, 2)
    points = np.concatenate([places[:12], nose])
    steps = np.diff(true_places(plan, points), axis=0, prepend=np.nan)
    steps[0] = 0
    return steps[:, :12] - steps[:, 12:].mean(1, keepdims=True)


def true_motion_of(bank: Bank) -> Callable[[str], np.ndarray]:
    """A function from the name of a video to its true region motion, float32 (frames, 12, 2).

    `bank` is a frame bank that `synthetic_bank` made. UserError: it is not, or the videos of this
    version are not those of the bank.
    """
    source, landmarker = bank.meta["source"], load_landmarker()
    if bank.regions or source.get("kind") != "synthetic":
        raise UserError(f"{bank.root}: true motion is known of frame banks of synthetic videos")
    scene = {name: source[name] for name in SCENE}
    scene["level"] = difficulty_from(source["difficulty"])

    def motion(video: str) -> np.ndarray:
        subject, number = (int(word) - 1 for word in video.removeprefix("s").split("_"))
        plan = plan_video(subject=subject, video=number, **scene)
        if not plan.annotations.equals(bank.labels(video).reset_index(drop=True)):
            raise UserError(f"{bank.root}: {video} is of another version; make the bank again")
        places = crop_places(landmarker, resting_face(plan))
        return true_region_motion(plan, places).astype(np.float32)

    return motion
