import json
import subprocess
import sys
from pathlib import Path

import pytest

from jaxspot.errors import UserError
from jaxspot.evaluation.score_files import evaluate_files

ROOT = Path(__file__).parents[1]
VIDEOS = "subject,video,frames,fps\ns1,a,300,30\ns1,b,200,30\ns2,c,100,29.97\n"
LABELS = (
    "subject,video,kind,onset,apex,offset\ns1,a,ME,10,14,19\ns1,a,MaE,5,20,44\ns2,c,MaE,1,5,20\n"
)
GUESSES = "subject,video,kind,onset,offset,note\ns1,a,ME,10,14,x\ns1,b,ME,1,9,\n,c,MaE,1,30,y\n"


def flags(folder, *, videos=VIDEOS, labels=LABELS, guesses=GUESSES):
    texts = dict(videos=videos, annotations=labels, intervals=guesses)
    for name, text in texts.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text)
    return [*(f"--{name}={folder / name}.csv" for name in texts), f"--out={folder / 'out'}"]


def evaluate(*words):
    command = [sys.executable, str(ROOT / "launch/evaluate.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("protocol", ["one_to_one", "megc2020"])
def test_two_files_from_anyone_are_scored(tmp_path, protocol):
    done = evaluate(*flags(tmp_path), f"--protocol={protocol}")
    assert (done.returncode, done.stderr) == (0, "")
    scores = json.loads((tmp_path / "out/scores.json").read_text())
    assert scores["protocol"] == protocol
    counts = ("predictions", "ground_truth", "tp", "fp", "fn")
    assert [scores["ME"][c] for c in counts] == [2, 1, 1, 1, 0]
    assert [scores["MaE"][c] for c in counts] == [1, 2, 1, 0, 1]
    assert scores["overall"]["f1"] == pytest.approx(4 / 6)
    *_, overall, last = done.stdout.splitlines()
    assert "0.6667" in overall and last == f"open {tmp_path / 'out/scores.json'}"


def test_an_empty_table_of_intervals_scores_zero(tmp_path):
    done = evaluate(*flags(tmp_path, guesses="subject,video,kind,onset,offset\n"))
    assert done.returncode == 0
    assert json.loads((tmp_path / "out/scores.json").read_text())["overall"]["fn"] == 3


BAD = {
    "offset before onset": (dict(guesses=GUESSES + "s1,a,ME,30,20,\n"), "intervals.csv, row 5"),
    "past the end": (dict(guesses=GUESSES + "s2,c,ME,90,101,\n"), "intervals.csv, row 5"),
    "unknown kind": (dict(labels=LABELS + "s1,b,Micro,1,2,3\n"), "annotations.csv, row 5"),
    "unknown video": (dict(guesses=GUESSES + "s1,z,ME,1,2,\n"), "intervals.csv, row 5"),
    "half a frame": (dict(guesses=GUESSES + "s1,a,ME,1.5,2,\n"), "intervals.csv, row 5"),
    "frame 0": (dict(guesses=GUESSES + "s1,a,ME,0,2,\n"), "intervals.csv, row 5"),
    "video twice": (dict(videos=VIDEOS + "s9,a,10,30\n"), "videos.csv, row 5"),
    "no column": (dict(guesses="video,kind,onset,offset\n"), "'subject'"),
    "no file": (dict(guesses=None), "intervals.csv: no such file"),
    "no table": (dict(labels=""), "annotations.csv"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_names_file_and_row_and_writes_nothing(tmp_path, case):
    texts, named = BAD[case]
    flags(tmp_path, **texts)
    paths = [tmp_path / f"{name}.csv" for name in ("videos", "annotations", "intervals")]
    with pytest.raises(UserError) as error:
        evaluate_files(*paths, out=tmp_path / "out")
    assert named in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_command_says_a_mistake_in_one_line(tmp_path):
    done = evaluate(*flags(tmp_path, guesses=GUESSES + "s1,a,ME,30,20,\n"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "intervals.csv, row 5: offset is before onset" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    paths = flags(tmp_path)[:-1]
    done = evaluate(*paths, f"--out={tmp_path / 'videos.csv'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "videos.csv").read_text() == VIDEOS


def test_help_teaches_the_files():
    text = evaluate("--help").stdout
    for word in ("subject,video,kind,onset,offset", "one_to_one", "both ends", "example:"):
        assert word in text


def test_scoring_and_reporting_import_no_jax():
    modules = [
        "annotations.intervals", "annotations.durations", "spotting.filters", "spotting.intervals",
        "spotting.automated_iou", "evaluation.matching", "evaluation.f1", "evaluation.frame_scores",
        "evaluation.protocol", "evaluation.fitting", "evaluation.chance", "evaluation.score_files",
        "baselines.moilanen", "baselines.mdmd", "baselines.sp_fd", "baselines.blendshapes",
        "report.tables", "report.figures", "report.page",
    ]  # fmt: skip
    code = "".join(f"import jaxspot.{name}\n" for name in modules)
    code += (
        "import sys; print([m for m in ('jax', 'flax', 'matplotlib.pyplot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
