"""Small sources of `prepare`, and what the banks made of them hold, in words."""

import numpy as np
import pandas as pd
from prepare_calls import CSV, LABELS
from release_trees import head, write_images

from jaxspot.video.bank import open_bank


def image_videos(here, *names, frames=4, fps=30, subjects=None):
    """A source `in/` of tables: videos as folders of images, each of a person of its own."""
    rows = []
    for number, name in enumerate(names):
        write_images(here / "in" / name, head(number % 4)[:frames], "{}.png".format)
        rows.append(f"{(subjects or {}).get(name, f'p{number}')},{name},{name},{fps}\n")
    (here / "in" / "videos.csv").write_text(CSV + "".join(rows))
    return here / "in"


def talks(*rows, name="annotations.csv", **options):
    """Makes a source of the videos talk1, talk2 and Talk3, with rows of labels."""

    def make(here):
        source = image_videos(here, "talk1", "talk2", "Talk3", **options)
        label(source, *rows, name=name)

    return make


def label(source, *rows, name="annotations.csv"):
    (source / name).write_text(LABELS + "".join(f"{row}\n" for row in rows))


def labels_kept(here):
    """Such as '3 labels of talk1, talk2, Talk3'."""
    table, made = (
        pd.read_csv(here / "bank" / f"{name}.csv", dtype=str) for name in ("annotations", "videos")
    )
    pairs = lambda rows: set(zip(rows.subject, rows.video, strict=True))
    assert pairs(table) <= pairs(made)
    videos = ", ".join(dict.fromkeys(table.video))
    return f"{len(table)} label{'s' * (len(table) != 1)}{' of ' * bool(videos)}{videos}"


def videos_made(here):
    """Such as '12 frames at 30 fps', for each video."""
    table = pd.read_csv(here / "bank" / "videos.csv")
    rows = zip(table.frames, table.fps, strict=True)
    return ", ".join(f"{frames} frames at {fps:.5g} fps" for frames, fps in rows)


def subjects_made(here):
    """Such as 'p: a, b'."""
    table = pd.read_csv(here / "bank" / "videos.csv", dtype=str)
    return "; ".join(f"{who}: {', '.join(rows.video)}" for who, rows in table.groupby("subject"))


def faces_found(here):
    """Such as '30 frames, 30 with a face'."""
    bank = open_bank(here / "bank", verify=True)
    faces = [bank.faces(video) for video in bank.videos.video]
    total, seen = sum(map(len, faces)), int(np.concatenate(faces).sum())
    return f"{total} frames, {seen} with a face"


def as_of_the_twin(here, *, what, limit):
    """Whether the videos odd and twin of a bank show the same faces, and equally bright.

    `limit` is in gray levels, of the mean difference of a pixel.
    """
    bank = open_bank(here / "bank", verify=True)
    odd, twin = (np.asarray(bank.frames(name), float) for name in ("odd", "twin"))
    assert bank.faces("odd").all() and bank.faces("twin").all()
    difference = np.abs(odd - twin).mean()
    near = f"{len(odd)} {what} as of the twin"
    return near if difference < limit else f"differs by {difference:.3g}"
