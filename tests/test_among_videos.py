"""What lies among videos, or among labels, and is not read: a line says so, and only then."""

import shutil

import cv2
import numpy as np
import pytest
from prepare_calls import CSV, LABELS, call
from pympi.Elan import Eaf
from tiny_banks import said
from video_files import encode, noise

from jaxspot.datasets.folders import csv_source, openface_source, video_source
from jaxspot.errors import UserError
from jaxspot.own_video.inputs import find_videos

PEOPLE = ("anna", "bert", "carl")
ELAN_TEXT = "MaE\t\t0.100\t0.300\t0.200\tx\t{}.mp4\n"
BORIS = '{"project_format_version": "7.0", "behaviors_conf": {}, "observations": {}}'


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return encode(tmp_path_factory.mktemp("film") / "film.mp4", noise(12))


@pytest.fixture
def tree(film, tmp_path):
    """A video of each person in a folder of theirs, and labels of the first, elsewhere."""
    for name in PEOPLE:
        (tmp_path / "rec" / name).mkdir(parents=True)
        shutil.copy(film, tmp_path / "rec" / name / f"{name}_1.mp4")
    write_eaf(tmp_path / "ann" / "anna.eaf", "anna_1.mp4")
    return tmp_path


def write_eaf(path, video):
    path.parent.mkdir(parents=True, exist_ok=True)
    eaf = Eaf()
    eaf.add_linked_file(f"file:///D:/{video}", mimetype="video/mp4")
    eaf.add_tier("MaE")
    eaf.add_annotation("MaE", 100, 300, "smile")
    eaf.to_file(path)


def spotted(folder, film=None):
    """A folder as `spot` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text("{}")
    (folder / "intervals.csv").write_text("subject,video,kind,onset,apex,offset\np,v,ME,1,2,3\n")
    if film:
        shutil.copy(film, folder / "overlay.mp4")


OTHERS = {
    "bert.txt": ELAN_TEXT.format("bert_1"),
    "bert.boris": BORIS,
    "bert.csv": f"{LABELS}p,bert_1,ME,1,2,3\n",
    "long.txt": ELAN_TEXT.format("bert_1") * 4000,
}
NO_LABELS = {
    "readme.txt": "The tiers ME and MaE were coded by AB.\n",
    "talk.csv": "frame,timestamp\n1,0.0\n2,0.033\n",
    "numbers.tsv": "1\t2\n3\t4\n",
    "x.boris": "{}",
    ".hidden.txt": OTHERS["bert.txt"],
    "bert.pfsx": "<preferences/>",
    "odd.txt": "\0\1",
}


@pytest.mark.parametrize("name", OTHERS)
def test_labels_of_other_programs_beside_eaf_files_are_named(tree, name):
    (tree / "ann" / "deep").mkdir()
    (tree / "ann" / "deep" / name).write_text(OTHERS[name])
    (line,) = video_source(tree / "rec", labels=tree / "ann").notes
    assert line.startswith(f"{tree / 'ann'}: {name} not read, only .eaf files are")


def test_what_holds_no_labels_is_not_named(tree):
    for name, text in NO_LABELS.items():
        (tree / "ann" / name).write_text(text)
        (tree / "rec" / name).write_text(text)
    spotted(tree / "ann" / "spotted")
    spotted(tree / "rec" / "spotted")
    assert video_source(tree / "rec", labels=tree / "ann").notes == ()
    assert video_source(tree / "rec").notes == ()


def test_an_ending_in_capitals_is_that_of_elan_too(tree):
    write_eaf(tree / "ann" / "BERT.EAF", "bert_1.mp4")
    found = video_source(tree / "rec", labels=tree / "ann")
    assert set(found.labels.annotations.video) == {"anna_1", "bert_1"} and found.notes == ()


def test_videos_without_a_label_are_named_where_others_have_some(tree, capsys):
    assert call("video", tree / "rec", tree / "bank", f"--labels={tree / 'ann'}") == 0
    assert "2 of 3 videos have no label (bert_1, carl_1)\n" in capsys.readouterr().out
    for name in PEOPLE:
        write_eaf(tree / "ann" / f"{name}.eaf", f"{name}_1.mp4")
    words = ["--labels-only", f"--labels={tree / 'ann'}"]
    assert call("video", tree / "rec", tree / "bank", *words) == 0
    assert "no label" not in capsys.readouterr().out
    assert call("video", tree / "rec", tree / "bare") == 0
    assert "no label" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["annotations of bert.eaf", *OTHERS])
def test_labels_beside_the_videos_are_named_unless_any_are_read(tree, name):
    path = tree / "rec" / "bert" / name
    if path.suffix == ".eaf":
        write_eaf(path, "bert_1.mp4")
    else:
        path.write_text(OTHERS[name])
    (line,) = video_source(tree / "rec").notes
    assert line == f"{tree / 'rec'}: labels in {name} not read; to take them, --labels={path}"
    write_eaf(tree / "rec" / "anna" / "anna.eaf", "anna_1.mp4")
    (line,) = video_source(tree / "rec").notes
    assert line.endswith(f"not read; to take them, --labels={tree / 'rec'}")
    assert all("to take them" not in one for one in noted(tree, labels=tree / "ann"))
    (tree / "rec" / "annotations.csv").write_text(LABELS)
    assert noted(tree) == ()


def noted(tree, **options):
    return video_source(tree / "rec", **options).notes


def test_eaf_files_beside_a_table_of_videos_are_named(tree):
    root = tree / "rec"
    (root / "videos.csv").write_text(f"{CSV}p,v,anna/anna_1.mp4,\n")
    assert csv_source(root).notes == ()
    write_eaf(root / "v.eaf", "v.mp4")
    (line,) = csv_source(root).notes
    assert line == f"{root}: labels in v.eaf not read; to take them, --labels={root / 'v.eaf'}"


def test_an_overlay_is_nobodys_video(tree, film, capfd):
    rec, pattern = tree / "rec", str(tree / "rec" / "**" / "*.mp4")
    spotted(rec / "results" / "anna_1", film)
    spotted(rec / "bert", film)  # beside the video itself
    named = [f"{name}_1" for name in PEOPLE]
    ours = rec / "bert" / "overlay.mp4"
    found = video_source(rec)
    assert [(video.subject, video.video) for video in found.videos] == list(
        zip(PEOPLE, named, strict=True)
    )
    assert found.notes == (
        f"{rec}: {ours} and 1 more left out, which `spot` wrote beside its results",
    )
    for place in (rec, pattern):
        videos, notes = find_videos([place])
        assert sorted(video.name for video in videos) == named
        assert notes == [line.replace(f"{rec}: ", f"{place}: ", 1) for line in found.notes]
    assert [video.path for video in find_videos([ours]).videos] == [ours]
    (ours.parent / "run.json").unlink()  # then it is a video of this name
    assert len(find_videos([rec]).videos) == 4 and len(video_source(rec).videos) == 4
    with pytest.raises(UserError, match="left out, which `spot` wrote"):
        find_videos([rec / "results"])
    assert call("video", rec / "results", tree / "bank") == 2
    assert "overlay.mp4 left out, which `spot` wrote" in said(capfd, "prepare")


def pictures(folder, *names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


FRAMES = [f"img{number:03d}.jpg" for number in range(1, 13)]


def test_a_person_of_pictures_is_not_left_out_without_a_line(tree, capfd):
    rec = tree / "rec"
    pictures(rec / "dora" / "talk", *FRAMES)
    (line,) = video_source(rec).notes
    assert line == (
        f"{rec / 'dora' / 'talk'}: 12 pictures left out; name it in a videos.csv (--dataset=csv)"
        " with its fps"
    )
    pictures(rec / "emil", *FRAMES)
    (line,) = video_source(rec).notes
    assert "12 pictures left out, and 1 more such folders; name" in line
    for name in PEOPLE:
        shutil.rmtree(rec / name)
    assert call("video", rec, tree / "bank") == 2
    assert "12 pictures left out, and 1 more" in said(capfd, "prepare")


@pytest.mark.parametrize(
    "folder, names",
    [
        ("photographs", FRAMES[:9]),
        ("anna", FRAMES),  # beside the video
        ("anna_1_aligned", [f"frame_det_00_{number:06d}.bmp" for number in range(1, 13)]),
        ("cards", [f"{letter}.jpg" for letter in "abcdefghijkl"]),
        (".thumbnails", FRAMES),
    ],
)
def test_a_few_photographs_are_no_matter(tree, folder, names):
    place = tree / "rec" / folder
    place.mkdir(exist_ok=True)
    for name in names:
        (place / name).touch()
    assert video_source(tree / "rec").notes == ()


def test_labels_beside_the_faces_of_openface_are_named(tmp_path):
    (tmp_path / "v_aligned").mkdir()
    face = np.full((112, 112), 90, np.uint8)
    cv2.imwrite(str(tmp_path / "v_aligned" / "frame_det_00_000001.bmp"), face)
    assert openface_source(tmp_path, fps=30).notes == ()
    write_eaf(tmp_path / "v.eaf", "v.mp4")
    assert len(openface_source(tmp_path, fps=30).notes) == 1
