"""What a data set's folders or a bank hold against what they should hold."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from jaxspot.annotations.repairs import RULES
from jaxspot.annotations.samm_lv import label_version
from jaxspot.datasets.checks import (
    Check,
    check_counts,
    check_durations,
    check_repairs,
    expect_none,
)
from jaxspot.datasets.expected import EXPECTED
from jaxspot.datasets.images import describe_numbers, missing_numbers, number_images
from jaxspot.datasets.prepare import REPAIRS, count_frames, fit_labels
from jaxspot.datasets.source import Source, SourceVideo
from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.bank import Bank, open_bank

FEW_FACES = 0.5
ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}


def doctor_source(
    source: Source, *, rules: tuple[str, ...] = RULES, progress: bool = True
) -> list[Check]:
    """Checks a data set's folders before they are prepared; reads labels, names and file ends.

    Args:
      source: the data set.
      rules: of `repairs.RULES`.
      progress: show videos done and time left.
    """
    lengths, gaps, broken = [], [], []
    for video in progress_bar(source.videos, desc="looking", unit="video", shown=progress):
        lengths.append((video.subject, video.video, count_frames(video), video.fps or 1.0))
        gaps += find_gaps(video)
        broken += find_broken(video)
    videos = pd.DataFrame(lengths, columns=["subject", "video", "frames", "fps"])
    labels = fit_labels(source, videos, rules=rules)
    expected = EXPECTED.get(source.dataset)
    lost = labels.repairs.loc[labels.repairs.rule == "no_video", "video"]
    checks = check_counts(videos, labels.annotations, expected)
    if source.dataset == "samm_lv" and source.labels:
        checks.append(Check("label version", label_version(source.labels)))
    checks.append(
        expect_none(
            "labels without their video",
            sorted(set(lost)),
            "unpack these folders again; until then their labels are left out",
        )
    )
    checks.append(
        expect_none(
            "missing frame numbers", gaps, "unpack again; missing frames count as without a face"
        )
    )
    checks.append(
        expect_none("empty or cut images", broken, "copy these files again; else as missing ones")
    )
    checks += [Check("passed over", note) for note in source.notes]
    known = videos.fps.gt(0).all() and all(video.fps for video in source.videos)
    checks += check_durations(videos, labels.annotations, expected) if known else []
    return checks + check_repairs(labels.repairs)


def find_gaps(video: SourceVideo) -> list[str]:
    """Frame numbers that no image has, as a line; nothing for a video file or aligned faces."""
    if video.aligned or not video.path.is_dir():
        return []
    try:
        missing = missing_numbers(number_images(video.path))
    except UserError as error:
        return [str(error)]
    return [f"{video.video}: {describe_numbers(missing)}"] if missing else []


def find_broken(video: SourceVideo) -> Iterator[str]:
    """Images that are empty, or lack the end that their format must have."""
    if video.aligned or not video.path.is_dir():
        return
    try:
        images = number_images(video.path)
    except UserError:
        return
    for path in images.values():
        with open(path, "rb") as file:
            head = file.read(2)
            file.seek(max(0, path.stat().st_size - 4096))
            tail = file.read()
        if not head or ENDS.get(head, b"") not in tail:
            yield str(path)


def doctor_bank(root: str | Path) -> list[Check]:
    """Checks a frame bank: every file's hash, and what is in it.

    Raises:
      UserError: no whole bank is there, or a file of it is missing or altered.
    """
    bank = open_bank(root, verify=True)
    source = bank.meta["source"]
    expected = EXPECTED.get(source.get("kind", ""))
    broken = list(source.get("left_out", []))
    return [
        Check("files agree with their hashes", "yes", "yes", "ok"),
        *check_counts(bank.videos, bank.annotations, expected),
        expect_none("videos left out as broken", broken, "mend them and prepare the bank again"),
        *check_faces(bank),
        *check_durations(bank.videos, bank.annotations, expected),
        *check_repairs(_repairs(bank)),
    ]


def check_faces(bank: Bank) -> list[Check]:
    """Where faces were found, how steadily they are aligned, and which frames were lost."""
    share = {video: float(bank.quality(video)[:, 0].mean()) for video in bank.videos.video}
    found = sum(share[v] * n for v, n in zip(bank.videos.video, bank.videos.frames, strict=True))
    few = [f"{video} {value:.0%}" for video, value in share.items() if value < FEW_FACES]
    details = bank.meta["source"].get("videos", {})
    lost = [
        f"{video}: {numbers}"
        for video, detail in details.items()
        if (numbers := ", ".join(filter(None, (detail["missing"], detail["unreadable"]))))
    ]
    checks = [
        Check("frames with a face", f"{found / bank.videos.frames.sum():.2%}"),
        expect_none(
            f"videos with a face in under {FEW_FACES:.0%} of the frames",
            few,
            "look at them; a large turn, a hand or the wrong face? Try --face, or leave them out",
        ),
        expect_none("frames without a readable image", lost, "copy them again and prepare anew"),
    ]
    away = [f"{video} {d['stays']}" for video, d in details.items() if d["stays"] > 1]
    if away:
        checks.append(Check("videos whose face was away (stays)", "; ".join(away)))
    uneven = [f"{video} {d['uneven']:.0%}" for video, d in details.items() if d["uneven"]]
    if uneven:
        checks.append(Check("videos of varying frame rate (uneven steps)", "; ".join(uneven)))
    jitter = pd.DataFrame([d["jitter_px"] for d in details.values() if d["jitter_px"]])
    if len(jitter):
        raw, used = jitter.median()
        checks.append(
            Check("alignment noise, median of videos", f"{raw:.3f} px, {used:.3f} px as used")
        )
    return checks


def _repairs(bank: Bank) -> pd.DataFrame:
    path = bank.root / REPAIRS
    return pd.read_csv(path, dtype=str) if path.is_file() else pd.DataFrame({"rule": []})
