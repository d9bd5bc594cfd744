"""A bank of pictures in which people move, what changes in it with one of them, and checks."""

import tracemalloc

import jax
import numpy as np
from tiny_banks import finish_tiny_bank

from jaxspot.video.bank import finish_bank
from jaxspot.video.writer import save_video

FRAMES = 90


def write_moving_pictures(root, *, subjects=4, frames=FRAMES):
    """Textures in which a square goes down and back: fast for an ME, slowly for a MaE."""
    rng, videos, labels = np.random.default_rng(0), [], []
    for number in range(1, subjects + 1):
        subject, video = f"s{number}", f"s{number}_1"
        still = np.repeat(np.repeat(rng.integers(60, 190, (28, 28)), 4, 0), 4, 1)
        pixels = np.repeat(still[None], frames, 0) + rng.normal(0, 2, (frames, 112, 112))
        for kind, first, last in (("ME", 10 + number, 18 + number), ("MaE", 40, 70)):
            for i in range(first, last + 1):
                down = round(5 * np.sin(np.pi * (i - first + 1) / (last - first + 2)))
                pixels[i, 40:80, 30:80] = pixels[i, 40 - down : 80 - down, 30:80]
            labels.append((subject, video, kind, first + 1, (first + last) // 2, last + 1))
        quality = np.ones((frames, 2), np.float32)
        save_video(root, video, pixels.clip(0, 255).astype(np.uint8), quality)
        videos.append((subject, video, frames, 30.0))
    return finish_tiny_bank(root, videos, labels)


def change_labels(bank, subject):
    """The bank with a subject's labels elsewhere and longer; its folder stays as it is."""
    table = bank.annotations.copy()
    table.loc[table.subject == subject, ["onset", "apex", "offset"]] = [[30, 33, 41], [2, 12, 25]]
    return type(bank)(bank.root, bank.videos, table, bank.meta)


def change_pixels(bank, root, subject):
    """A bank in which a subject's videos run backwards, in negative, and its labels are changed."""
    owner = dict(zip(bank.videos.video, bank.videos.subject, strict=True))
    for video in bank.videos.video:
        frames = np.asarray(bank.frames(video))
        frames = 255 - frames[::-1] if owner[video] == subject else frames
        save_video(root, video, frames, bank.quality(video))
    labels = change_labels(bank, subject).annotations
    return finish_bank(root, videos=bank.videos, annotations=labels, source={}, alignment={})


def peer_leaks(peer, bank, changed, *, subject, folds, k):
    """What a peer finds in a bank, and in one that differs by the labels of a subject.

    Fails if the subject's scores or intervals differ, or if nobody else's do. Returns the first.
    """
    before = peer(bank, folds=folds, k=k)
    after = peer(changed, folds=folds, k=k)
    of = lambda table: table[table.subject == subject].reset_index(drop=True)
    mine = bank.videos.video[bank.videos.subject == subject]
    for video in mine:
        np.testing.assert_array_equal(before[0][video], after[0][video])
    assert of(before[1]).equals(of(after[1]))
    others = [video for video in before[0] if video not in set(mine)]
    assert any(not np.array_equal(before[0][v], after[0][v]) for v in others)
    return before


def check_only_one_fold_stays(found, folds, *, held_out):
    """Of two trainings, the parameters of the fold of `held_out` are equal, all others are not."""
    for number, fold in enumerate(folds):
        pairs = zip(*map(jax.tree.leaves, found), strict=True)
        same = [np.array_equal(a[number], b[number]) for a, b in pairs]
        assert all(same) if fold.held_out == held_out else not all(same)


def peak_bytes(extract, folder, *, frames):
    """The most memory that the features of a video of so many frames take at a time."""
    bank = write_moving_pictures(folder / str(frames), subjects=1, frames=frames)
    tracemalloc.start()
    for _ in extract(bank, "s1_1", 1):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most
