"""OpenFace output in which a face changes its number. The lines that say who is in each video."""

import cv2
import numpy as np
import pytest
from prepare_calls import LABELS, call
from release_trees import write_images
from tiny_banks import said
from video_files import encode, noise

from jaxspot.commands import doctor
from jaxspot.video.bank import open_bank

HEADER = "frame, face_id, timestamp, confidence, success\n"


def openface_run(root, faces, *, video="p_1"):
    """An OpenFace run: `faces` maps a number to the frames it was seen in; gives their values."""
    rows = []
    for face, frames in faces.items():
        for number in frames:
            image = np.full((112, 112), 20 * face + number, np.uint8)
            (root / f"{video}_aligned").mkdir(parents=True, exist_ok=True)
            name = f"{video}_aligned/frame_det_{face:02d}_{number:06d}.bmp"
            assert cv2.imwrite(str(root / name), image)
            rows.append((number, face, f"{(number - 1) / 30:.3f}", 0.9, 1))
    lines = "".join(", ".join(map(str, row)) + "\n" for row in sorted(rows))
    (root / f"{video}.csv").write_text(HEADER + lines)


@pytest.mark.parametrize(
    ("faces", "shown"),
    [
        ({0: range(1, 16), 1: range(16, 31)}, [*range(1, 16), *range(36, 51)]),
        ({0: range(1, 11), 3: range(15, 31)}, [*range(1, 11), 0, 0, 0, 0, *range(75, 91)]),
        ({2: range(1, 4), 0: range(4, 20), 5: range(19, 31)},
         [*range(41, 44), *range(4, 20), *range(120, 131)]),
        ({0: range(1, 31), 1: range(5, 25)}, [*range(1, 31)]),  # two people
    ],
)  # fmt: skip
def test_a_face_that_changes_its_number_is_followed_to_the_end(faces, shown, tmp_path, capsys):
    openface_run(tmp_path, faces)
    (tmp_path / "annotations.csv").write_text(f"{LABELS}p,p_1,ME,22,24,26\n")
    assert call("openface", tmp_path, tmp_path / "bank") == 0
    bank = open_bank(tmp_path / "bank")
    assert len(bank.annotations) == 1
    np.testing.assert_array_equal(bank.frames("p_1")[:, 0, 0], shown)
    np.testing.assert_array_equal(bank.faces("p_1"), np.array(shown) > 0)
    out = capsys.readouterr().out
    if len(faces) == 2 and 1 in faces and len(faces[1]) == 20:
        assert "p_1_aligned: faces 1, beside face 0, are left out" in out
    else:
        numbers = ", ".join(map(str, sorted(faces)))
        assert f"p_1_aligned: faces {numbers} are taken for one, lost between" in out


@pytest.mark.parametrize("between", [",", ", ", ";"])
def test_decimal_commas_are_read_or_refused_with_what_helps(between, tmp_path, capfd):
    images = np.full((3, 112, 112), 90, np.uint8)
    write_images(tmp_path / "p_1_aligned", images, "frame_det_00_{:06d}.bmp".format)
    rows = [(n, 0, f"0,{33 * (n - 1):03d}", "0,98", 1) for n in (1, 2, 3)]
    header = HEADER.replace(", ", between)
    lines = "".join(between.join(map(str, row)) + "\n" for row in rows)
    (tmp_path / "p_1.csv").write_text(header + lines)
    code = call("openface", tmp_path, tmp_path / "bank")
    if between != ",":
        bank = open_bank(tmp_path / "bank")
        np.testing.assert_allclose(bank.quality("p_1"), [[1, 0.98]] * 3, rtol=1e-6)
        assert code == 0 and bank.videos.fps[0] == pytest.approx(30.0, rel=0.02)
    else:
        assert code == 2 and not (tmp_path / "bank").exists()
        assert "LC_ALL=C" in said(capfd, "prepare")


@pytest.mark.parametrize(
    ("files", "whose"),
    [
        (["sub-01/ses-1/a.mp4", "sub-01/ses-2/b.mp4", "sub-02/ses-1/c.mp4"],
         ["sub-01: a, b", "sub-02: c"]),
        (["raw/sub-01/a.mp4", "raw/sub-02/ses-1/b.mp4"], ["sub-01: a", "sub-02: b"]),
        (["anna/a.mp4", "bert/b.mp4"], ["anna: a", "bert: b"]),
        (["anna_1.mp4", "anna_2.mp4", "bert_1.mp4"], ["anna: anna_1, anna_2", "bert: bert_1"]),
        (["all/anna.mp4", "all/bert.mp4", "all/carl.mp4"],
         ["all: anna, bert, carl", "all 3 videos are taken for one person"]),
        (["all/anna.ts", "all/bert.gif"], ["all: anna, bert", "all 2 videos are taken"]),
    ],
)  # fmt: skip
def test_subjects_are_top_folders_and_who_is_who_is_said(files, whose, tmp_path, capsys):
    for file in files:
        path = tmp_path / "in" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(path.with_suffix(".mp4"), noise(3)).rename(path)
    call("video", tmp_path / "in", tmp_path / "bank", "--dry-run")
    out = capsys.readouterr().out
    assert not [line for line in whose if f"  {line}" not in out]
    # Whose labels these are cannot be known where all videos seem to be of one person.
    assert doctor.main(["--dataset=video", f"--source={tmp_path / 'in'}"]) == ("all" in whose[1])
    assert whose[0] in capsys.readouterr().out
