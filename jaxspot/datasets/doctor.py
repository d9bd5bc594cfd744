"""What a data set's folders or a bank hold against what they should hold."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import to_span
from jaxspot.annotations.repairs import REPAIRS, no_labels
from jaxspot.annotations.samm_lv import label_version
from jaxspot.datasets.check_motion import check_motion
from jaxspot.datasets.checks import (
    DIFFERS,
    Check,
    check_counts,
    check_durations,
    check_labels,
    expect_none,
)
from jaxspot.datasets.dataset import Dataset
from jaxspot.datasets.doubles import ONE_COPY, SAME, same_videos
from jaxspot.datasets.expected import EXPECTED
from jaxspot.datasets.fitting import fit_labels
from jaxspot.datasets.images import describe_numbers, missing_numbers
from jaxspot.datasets.look import look_over, say_combed
from jaxspot.datasets.rates import MOST_UNEVEN
from jaxspot.datasets.work import WORK
from jaxspot.errors import UserError
from jaxspot.video.bank import Bank, open_bank
from jaxspot.video.frame_times import SLOWEST_ME_FPS

FEW_FACES = 0.5
DARK = 10.0
SAMPLED = 20
ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}


def doctor_source(dataset: Dataset, *, progress: bool = True) -> list[Check]:
    """Checks a data set's folders before they are prepared: labels, names and file ends.

    Of a pack of region motion, every segment is read.

    `progress` shows videos done and time left. UserError: labels that do not fit (`fit_to_videos`).
    """
    videos, looks = look_over(dataset, progress=progress)
    missing = {v: missing_numbers(look.images) for v, look in zip(videos.video, looks, strict=True)}
    gaps = [f"{video}: {describe_numbers(lost)}" for video, lost in missing.items() if lost]
    broken = [path for look in looks for path in find_broken(look.images.values())]
    errors = [look.error for look in looks if look.error]
    labels = fit_labels(dataset, videos)
    expected = EXPECTED.get(dataset.name)
    regions = dataset.regions
    checks = check_counts(videos, labels.annotations, expected, regions)
    if dataset.name == "samm_lv" and dataset.labels.file:
        checks.append(Check("label version", label_version(dataset.labels)))
    lost = labels.repairs.loc[labels.repairs.rule == "no_video", "video"]
    unpack = "unpack these folders again; until then their labels are left out"
    leave = "copy them again, or leave them out by prepare --skip-broken"
    fill = "unpack again; missing frames count as without a face"
    checks += [
        expect_none("labels without their video", sorted(set(lost)), unpack),
        expect_none("videos that cannot be read", errors, leave),
    ]
    if regions:
        pairs = zip(dataset.videos, looks, strict=True)
        whole = [video for video, look in pairs if not look.error]
        checks += check_motion(((v.video, v.motion.read()) for v in whole if v.motion), regions)
    else:
        again = "copy these files again; else as missing ones"
        checks.append(expect_none("missing frame numbers", gaps, fill))
        checks.append(expect_none("empty or cut images", broken, again))
    checks += [Check("passed over", note) for note in dataset.notes]
    if dataset.rates:
        own = "right if the file plays slower than it was filmed; else leave fps out"
        checks.append(_doubtful("other rates than the files'", [*dataset.rates], own))
    if combed := say_combed(dataset):
        bwdif = "make an even one of each pair of fields, such as by ffmpeg -vf bwdif"
        checks.append(_doubtful("videos marked as interlaced", combed, bwdif))
    checks += [Check("assumed", line.strip()) for line in dataset.assumed]
    if dataset.assumed:
        alone = videos.video.tolist() if videos.subject.nunique() == 1 < len(videos) else []
        name = "if they are of several, name --source above a folder for each, or use a videos.csv"
        checks.append(expect_none("videos all of one person", alone, name))
    if videos.fps.gt(0).all() and videos.frames.gt(0).all():
        checks += check_durations(videos, labels.annotations, expected)
    return checks + check_labels(labels.annotations, videos, labels.repairs, expected)


def _doubtful(what: str, found: list[str], remedy: str) -> Check:
    """A check of what can be used, but is hardly meant."""
    return expect_none(what, found, remedy)._replace(verdict=DIFFERS)


def find_broken(images: Iterable[Path]) -> Iterator[str]:
    """Images that are empty, or lack the end that their format must have."""
    for path in images:
        with open(path, "rb") as file:
            head = file.read(2)
            file.seek(max(0, path.stat().st_size - 4096))
            tail = file.read()
        if not head or ENDS.get(head, b"") not in tail:
            yield str(path)


def doctor_bank(root: str | Path) -> list[Check]:
    """Checks a bank of frames or region motion: every file's hash, and what is in it.

    UserError: no whole bank is there, or a file of it is missing or altered.
    """
    if (Path(root) / WORK).exists() and not (Path(root) / "bank.json").exists():
        raise UserError(f"{root}: is not finished; run its prepare command again")
    bank = open_bank(root, verify=True)
    source = bank.meta["source"]
    expected = EXPECTED.get(source.get("kind", ""))
    broken = list(source.get("left_out", []))
    if bank.regions:
        held = check_motion(((v, bank.motion(v)) for v in bank.videos.video), bank.regions)
    else:
        held = check_faces(bank)
    checks = [
        Check("files agree with their hashes", "yes", "yes", "ok"),
        *check_counts(bank.videos, bank.annotations, expected, bank.regions),
        expect_none(SAME, same_videos(bank), ONE_COPY),
        expect_none("videos left out as broken", broken, "mend them and prepare the bank again"),
        *check_rates(bank.videos),
        *held,
        *check_durations(bank.videos, bank.annotations, expected),
    ]
    repairs = read_repairs(bank.root)
    return checks + check_labels(bank.annotations, bank.videos, repairs, expected)


def read_repairs(root: Path) -> pd.DataFrame:
    """The repairs.csv of a bank; without a row, where it has none."""
    path = root / REPAIRS
    given = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else None
    return no_labels().repairs if given is None else given


def check_rates(videos: pd.DataFrame) -> list[Check]:
    """Videos in which a micro-expression cannot be followed."""
    rows = list(
        zip(videos.video.tolist(), videos.fps.tolist(), videos.frames.tolist(), strict=True)
    )
    slow = [f"{video} {fps:g}" for video, fps, _ in rows if fps < SLOWEST_ME_FPS]
    single = [video for video, _, frames in rows if frames == 1]
    faster = "a micro-expression is too short for them; record faster, or leave them out"
    return [
        expect_none(f"videos under {SLOWEST_ME_FPS:g} frames a second", slow, faster),
        expect_none("videos of one frame", single, "a picture is no video; name a folder of them"),
    ]


def _brightness(bank, video, faces):
    """The mean of a few frames with a face, 0..255."""
    shown = np.flatnonzero(faces)
    return float(bank.frames(video)[shown[:: max(1, len(shown) // SAMPLED)]].mean())


def _hidden_labels(bank, faces):
    columns = (bank.annotations[name].tolist() for name in ("video", "onset", "offset"))
    for video, onset, offset in zip(*columns, strict=True):
        if faces[video][slice(*to_span(onset, offset))].mean() < FEW_FACES:
            yield f"{video} {onset}-{offset}"


def check_faces(bank: Bank) -> list[Check]:
    """Where faces were found, how steadily they are aligned, and which frames were lost."""
    faces = {video: bank.faces(video) for video in bank.videos.video}
    few = [f"{v} {face.mean():.0%}" for v, face in faces.items() if face.mean() < FEW_FACES]
    total = sum(int(face.sum()) for face in faces.values())
    details = bank.meta["source"].get("videos", {})
    dark = [v for v, face in faces.items() if face.any() and _brightness(bank, v, face) < DARK]
    hidden = list(_hidden_labels(bank, faces))
    lost = {v: ", ".join(filter(None, (d["missing"], d["unreadable"]))) for v, d in details.items()}
    unread = [f"{video}: {numbers}" for video, numbers in lost.items() if numbers]
    look = "look at them; a large turn, a hand or the wrong face? Try --face, or leave them out"
    what = f"videos with a face in under {FEW_FACES:.0%} of the frames"
    checks = [
        Check("frames with a face", f"{total / bank.videos.frames.sum():.2%}"),
        expect_none(what, few, look),
        expect_none("frames without a readable image", unread, "copy them again and prepare anew"),
        expect_none("labels mostly without a face", hidden, "they train nothing; see the video"),
        expect_none("videos nearly black", dark, "16-bit files of fewer bits? Save them as 8-bit"),
    ]
    away = [f"{video} {d['stays']}" for video, d in details.items() if d["stays"] > 1]
    share = {video: d["uneven"] for video, d in details.items() if d["uneven"]}
    uneven = [f"{video} {part:.0%}" for video, part in share.items()]
    turned = [f"{v} {d['upside_down']}" for v, d in details.items() if d.get("upside_down")]
    for what, found in (
        ("videos filmed upside down (frames, which were turned)", turned),
        ("videos whose face was away or cut (stays)", away),
    ):
        checks += [Check(what, "; ".join(found))] if found else []
    if uneven:
        what, found = "videos of varying frame rate (uneven steps)", "; ".join(uneven)
        even = "frames are taken as even there; re-encode it (ffmpeg -vf fps=30) and prepare again"
        much = max(share.values()) > MOST_UNEVEN
        checks.append(Check(what, found, "", DIFFERS, even) if much else Check(what, found))
    if bank.alignment == "posed":
        checks.append(Check("alignment", "posed: every face is turned to the front"))
    jitter = [d["jitter_px"] for d in details.values() if d["jitter_px"]]
    if jitter:
        raw, used = np.median(jitter, axis=0)
        noise = f"{raw:.3f} px, {used:.3f} px as used"
        checks.append(Check("alignment noise, median of videos", noise))
    return checks
