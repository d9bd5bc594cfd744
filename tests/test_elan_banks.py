"""Labels made in ELAN, a file for each video, as a bank that fine-tuning takes."""

import cv2
import numpy as np
import pytest
from prepare_calls import call
from pympi.Elan import Eaf
from tiny_banks import said
from video_files import encode

from jaxspot.annotations.repairs import count_repairs
from jaxspot.commands import doctor
from jaxspot.datasets.fitting import fit_labels
from jaxspot.datasets.folders import video_source
from jaxspot.datasets.look import look_over
from jaxspot.experiment.score_weights import refuse_unlike
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.synthetic.generate import synthesise_video
from jaxspot.video.bank import open_bank

PEOPLE = ("anna", "bert", "carl")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A second of video of each person in a folder, and an .eaf file of each, elsewhere."""
    root = tmp_path_factory.mktemp("elan")
    for number, name in enumerate(PEOPLE):
        frames, _ = synthesise_video(subject=number, seconds=8.0, seed=3)
        pictures = np.full((30, 240, 320, 3), 120, np.uint8)
        for picture, frame in zip(pictures, frames, strict=False):
            picture[20:220, 60:260] = cv2.resize(frame, (200, 200))[..., None]
        (root / "recordings" / name).mkdir(parents=True)
        encode(root / "recordings" / name / f"{name}_1.mp4", pictures)
        write_eaf(root / "labels" / f"{name}.eaf", f"{name}_1.mp4", 100 * number)
    return root


def write_eaf(path, video, start_ms):
    path.parent.mkdir(parents=True, exist_ok=True)
    eaf = Eaf()
    eaf.add_linked_file(f"file:///D:/Videos/{video.upper()}", mimetype="video/mp4")
    eaf.add_tier("ME")
    eaf.add_tier("MaE")
    eaf.add_annotation("ME", 100 + start_ms, 300 + start_ms, "brow")
    eaf.add_annotation("MaE", 0, 800, "smile")
    eaf.to_file(path)


def test_elan_labels_make_a_posed_bank_that_the_weights_take(recordings, tmp_path, capsys):
    flags = [f"--labels={recordings / 'labels'}", "--align=posed"]
    assert call("video", recordings / "recordings", tmp_path / "bank", *flags) == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.alignment == "posed"
    assert bank.videos.subject.tolist() == list(PEOPLE)
    found = {name: sorted(bank.labels(f"{name}_1").iloc[:, 2:].values.tolist()) for name in PEOPLE}
    assert found == {
        name: [["ME", 4 + 3 * n, (13 + 6 * n) // 2, 9 + 3 * n], ["MaE", 1, 12, 24]]
        for n, name in enumerate(PEOPLE)
    }
    assert all(bank.faces(video).all() for video in bank.videos.video)
    refuse_unlike(load_spotter(), bank)
    assert "6 labels mended (video_name)" in capsys.readouterr().out


def test_new_labels_renew_the_bank(recordings, tmp_path):
    source, out = recordings / "recordings" / "anna", tmp_path / "bank"
    write_eaf(tmp_path / "one" / "a.eaf", "anna_1.mp4", 0)
    assert call("video", source, out, f"--labels={tmp_path / 'one' / 'a.eaf'}") == 0
    before = open_bank(out)
    write_eaf(tmp_path / "one" / "a.eaf", "anna_1.mp4", 300)
    assert call("video", source, out, f"--labels={tmp_path / 'one'}", "--labels-only") == 0
    after = open_bank(out, verify=True)
    assert before.annotations.onset.tolist() == [4, 1] and after.annotations.onset.tolist() == [
        13,
        1,
    ]


def test_each_label_names_its_own_file(recordings, tmp_path, capfd):
    labels, flags = tmp_path / "labels", ["--dry-run", f"--labels={tmp_path / 'labels'}"]
    write_eaf(labels / "a.eaf", "anna_1.mp4", 0)
    write_eaf(labels / "b.eaf", "anna_1.mp4", 0)
    write_eaf(labels / "c.eaf", "bert_1.mp4", 5000)
    source = video_source(recordings / "recordings", labels=labels)
    found = fit_labels(source, look_over(source, progress=False)[0])
    table = found.repairs[found.repairs.after.str.startswith("left out")]
    assert list(zip(table.file, table.row, table.rule, strict=True)) == [
        ("b.eaf", 1, "duplicate"), ("b.eaf", 2, "duplicate"),
        ("c.eaf", 1, "past_end"),
    ]  # fmt: skip
    assert "(the same as row 1 of a.eaf)" in table.after.iloc[0]
    assert count_repairs(found.repairs).endswith("3 left out (duplicate 2, past_end 1)")
    assert doctor.main(["--dataset=video", f"--source={source.root}", flags[1]]) == 1
    assert "c.eaf, row 1 BERT_1 (past_end)" in capfd.readouterr().out


def test_an_old_copy_beside_the_labels_is_said(recordings, tmp_path):
    labels = tmp_path / "labels"
    write_eaf(labels / "a.eaf", "anna_1.mp4", 0)
    write_eaf(labels / "b.eaf", "bert_1.mp4", 0)
    assert not video_source(recordings / "recordings", labels=labels).notes
    write_eaf(labels / "backup" / "a.eaf", "anna_1.mp4", 5000)
    source = video_source(recordings / "recordings", labels=labels)
    assert source.notes == (
        f"{labels}: labels of anna_1 are in a.eaf and backup/a.eaf, both taken",
    )
    found = fit_labels(source, look_over(source, progress=False)[0]).repairs
    named = found[["file", "row", "rule"]].values.tolist()
    assert ["backup/a.eaf", 1, "past_end"] in named and ["a.eaf", 1, "video_name"] in named
    assert {"backup/a.eaf", "a.eaf", "b.eaf"} == set(found.file)


@pytest.mark.parametrize(("file", "words"), [("x.txt", "holds no .eaf"), (".x.eaf", "no .eaf")])
def test_a_folder_without_labels_is_one_line(file, words, recordings, tmp_path, capfd):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / file).write_text("<")
    flags = [f"--labels={tmp_path / 'labels'}"]
    assert call("video", recordings / "recordings", tmp_path / "bank", *flags) == 2
    assert words in said(capfd, "prepare") and not (tmp_path / "bank").exists()
