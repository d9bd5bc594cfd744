"""evaluate and prepare on labels as they were published: workbooks, sheets as CSV, own tables."""

import json
import os
import shutil
from collections import Counter

import pandas as pd
import pytest
from prepare_calls import LABELS, call, csv_tree
from release_sheets import save_as_csv, write_samm_lv
from release_trees import CAS_LABELS, FRAMES, SAMM_LABELS, cas_me2_tree, samm_lv_tree
from tiny_banks import ROOT, limited, one_line, said, start, write_bank

from jaxspot import read_cas_me2, read_samm_lv
from jaxspot.annotations.intervals import read_videos
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.repairs import REPAIR_COLUMNS
from jaxspot.commands import evaluate
from jaxspot.errors import UserError
from jaxspot.evaluation.score_files import read_truth

VIDEOS = "subject,video,frames,fps\n"
NO_APEX = "subject,video,kind,onset,offset\n"
TREES = {
    "samm_lv": (samm_lv_tree, SAMM_LABELS, ["006_1", "007_3", "016_7"], ["020_6"]),
    "cas_me2": (cas_me2_tree, CAS_LABELS, ["s15_0101", "s16_0401", "s23_0102"], ["s27_0503"]),
}
GLITCHES = [  # cells of a row, the label that they stand for, and the rules that say so
    ("5.4,10,20", (5, 10, 20), ["round_fraction"]),
    ("0,10,20", (1, 10, 20), ["onset_zero"]),
    ("30,40,", (30, 40, 50), ["missing_offset"]),
    ("30,40,0", (30, 40, 50), ["missing_offset"]),
    ("30,40,20", (30, 40, 50), ["offset_before_onset"]),
    ("30,,41", (30, 35, 41), ["missing_apex"]),
    ("30,-1,41", (30, 35, 41), ["missing_apex"]),
    ("30,45,40", (30, 40, 40), ["apex_after_offset"]),
    ("90,95,120", (90, 95, 100), ["past_end"]),
    ("0.2,,120", (1, 60, 100), ["round_fraction", "onset_zero", "missing_apex", "past_end"]),
]


@pytest.fixture(scope="module", params=TREES)
def release(request, tmp_path_factory):
    """A release, and what `prepare --labels-only` keeps of its labels."""
    root = tmp_path_factory.mktemp(request.param)
    make, labels, full, short = TREES[request.param]
    source = make(root / "source")
    assert call(request.param, source, root / "kept", "--labels-only") == 0
    book = next(source.glob("*.xlsx"))
    rows = [f"{video.split('_')[0]},{video},{FRAMES},30\n" for video in full]
    rows += [f"{video.split('_')[0]},{video},20,30\n" for video in short]
    (root / "videos.csv").write_text(VIDEOS + "".join(rows))
    guesses = [f",{video},{kind},{a},{c}\n" for _, video, kind, a, _, c in labels]
    guesses += [f",{short[0]},ME,3,9\n"]  # finds nothing
    (root / "guesses.csv").write_text(NO_APEX + "".join(guesses))
    return request.param, root, book, labels


def flags(root, annotations, out):
    return [
        f"--videos={root / 'videos.csv'}",
        f"--annotations={annotations}",
        f"--intervals={root / 'guesses.csv'}",
        f"--out={out}",
    ]


def scores(out):
    return json.loads((out / "scores.json").read_text())


def repairs(out):
    return pd.read_csv(out / "repairs.csv", dtype=str, keep_default_na=False)


def own(folder, text, *, frames=100, guesses=""):
    """Tables of one video 's1_1'; gives back the flags that score `text` on it."""
    folder.mkdir(exist_ok=True)
    (folder / "videos.csv").write_text(f"{VIDEOS}s1,s1_1,{frames},30\n")
    (folder / "guesses.csv").write_text(NO_APEX + guesses)
    (folder / "mine.csv").write_text(text)
    return flags(folder, folder / "mine.csv", folder / "out")


@pytest.mark.parametrize("form", ["workbook", "csv"])
def test_a_release_scores_as_the_labels_that_prepare_keeps(form, release, tmp_path, capsys):
    _, root, book, labels = release
    file = book if form == "workbook" else save_as_csv(book, tmp_path / "sheet.csv")
    out = tmp_path / "out"
    assert evaluate.main(flags(root, file, out)) == 0
    says = capsys.readouterr().out
    found = scores(out)["overall"]
    assert [found[name] for name in ("tp", "fp", "fn")] == [len(labels), 1, 0]
    assert evaluate.main(flags(root, root / "kept" / "annotations.csv", tmp_path / "again")) == 0
    assert scores(tmp_path / "again") == scores(out)
    assert not (tmp_path / "again" / "repairs.csv").exists()
    listed, kept = repairs(out), repairs(root / "kept")
    assert tuple(listed) == REPAIR_COLUMNS and set(listed.file) == {file.name}
    assert listed.drop(columns="file").equals(kept.drop(columns="file"))
    out_of_it = listed.after.str.startswith("left out")
    mended = listed[~listed.row.isin(listed.row[out_of_it])]
    counts = Counter(mended.rule)
    line = says.splitlines()[0]
    assert line.startswith(f"{mended.row.nunique()} labels mended (") and "left out (" in line
    assert all(f"{rule} {count}" in line for rule, count in counts.items())
    assert line.endswith(f": see {out / 'repairs.csv'}")


def test_a_label_sheet_as_csv_is_the_same_labels_for_the_readers_and_prepare(release, tmp_path):
    name, root, book, _ = release
    sheet = save_as_csv(book, tmp_path / "sheet.CSV")
    reader = dict(samm_lv=read_samm_lv, cas_me2=read_cas_me2)[name]
    assert reader(sheet).equals(reader(book)) and len(reader(book)) > 5
    of_book, of_sheet = read_labels(book), read_labels(sheet)
    assert of_book.annotations.equals(of_sheet.annotations)
    assert of_book.release == of_sheet.release == name
    assert call(name, root / "source", tmp_path / "b", "--labels-only", f"--labels={sheet}") == 0
    both = [(folder / "annotations.csv").read_text() for folder in (root / "kept", tmp_path / "b")]
    assert both[0] == both[1]


def test_rules_off_leaves_out_what_needs_them_as_in_prepare(release, tmp_path, capfd):
    name, root, book, labels = release
    off = "--rules-off=missing_apex, past_end"
    assert evaluate.main([*flags(root, book, tmp_path / "out"), off]) == 0
    assert call(name, root / "source", tmp_path / "kept", "--labels-only", off) == 0
    kept = pd.read_csv(tmp_path / "kept" / "annotations.csv")
    assert scores(tmp_path / "out")["overall"]["ground_truth"] == len(kept) < len(labels)
    assert repairs(tmp_path / "out").equals(repairs(tmp_path / "kept"))
    capfd.readouterr()
    assert evaluate.main([*flags(root, book, tmp_path / "x"), "--rules-off=rounding"]) == 2
    assert "there is no repair rule 'rounding'" in said(capfd, "evaluate")
    assert evaluate.main([*flags(root, book, tmp_path / "x"), "--rules-off=no_video"]) == 2
    assert "and rule no_video is off" in said(capfd, "evaluate")
    assert not (tmp_path / "x").exists()


def test_a_release_of_which_no_video_is_scored_is_refused(release, tmp_path, capfd):
    _, _, book, _ = release
    words = own(tmp_path / "own", LABELS)
    words[1] = f"--annotations={book}"
    assert evaluate.main(words) == 2
    line = said(capfd, "evaluate")
    assert str(book) in line and "none of its labels is of a video in the table" in line
    assert not (tmp_path / "own" / "out").exists()


def test_the_launcher_scores_a_workbook_without_jax(release, tmp_path):
    _, root, book, labels = release
    for name in ("jax", "flax", "jaxlib"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not needed')\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = start("launch/evaluate.py", *flags(root, book, tmp_path / "out"), PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "labels mended" in done.stdout.splitlines()[0]
    assert scores(tmp_path / "out")["overall"]["tp"] == len(labels)


@pytest.mark.parametrize(("cells", "label", "rules"), GLITCHES)
def test_a_glitch_of_an_own_table_is_mended_and_listed(cells, label, rules, tmp_path, capsys):
    text = f"{LABELS}s1,s1_1,MaE,1,2,3\n\ns1,s1_1,ME,{cells}\n"
    first, _, last = label
    words = own(tmp_path, text, guesses=f",s1_1,ME,{first},{last}\n")
    assert evaluate.main(words) == 0
    found = scores(tmp_path / "out")["ME"]
    assert (found["tp"], found["ground_truth"]) == (1, 1)
    listed = repairs(tmp_path / "out")
    assert set(listed.file) == {"mine.csv"} and set(listed.row) == {"4"}
    assert listed.rule.tolist() == rules
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("1 label mended (") and all(rule in line for rule in rules)
    truth = read_truth(tmp_path / "mine.csv", read_videos(tmp_path / "videos.csv"))
    assert tuple(truth.annotations.loc[1, ["onset", "apex", "offset"]]) == label


def test_an_apex_is_optional(tmp_path, capsys):
    rows = [("MaE", 5, 24, 44), ("ME", 60, 64, 69)]
    guesses = ",s1_1,MaE,5,30\n,s1_1,ME,70,75\n"
    with_apex = LABELS + "".join(f"s1,s1_1,{k},{a},{b},{c}\n" for k, a, b, c in rows)
    without = NO_APEX + "".join(f"s1,s1_1,{k},{a},{c}\n" for k, a, b, c in rows)
    blank = LABELS + "".join(f"s1,s1_1,{k},{a}, ,{c}\n" for k, a, b, c in rows)
    results, says = {}, {}
    for name, text in dict(given=with_apex, none=without, blank=blank).items():
        assert evaluate.main(own(tmp_path / name, text, guesses=guesses)) == 0
        results[name] = (tmp_path / name / "out" / "scores.json").read_bytes()
        says[name] = capsys.readouterr().out.rpartition("open ")[0]
        assert read_labels(tmp_path / name / "mine.csv").annotations.apex.tolist() == [24, 64]
    assert results["given"] == results["none"] == results["blank"]
    assert says["given"] == says["none"] and "mended" not in says["none"]
    assert says["blank"].startswith("2 labels mended (missing_apex): see ")
    assert not (tmp_path / "none" / "out" / "repairs.csv").exists()
    assert repairs(tmp_path / "blank" / "out").row.tolist() == ["2", "3"]
    off = [*own(tmp_path / "none", without, guesses=guesses), "--rules-off=missing_apex"]
    assert evaluate.main(off) == 0
    assert (tmp_path / "none" / "out" / "scores.json").read_bytes() == results["none"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{LABELS}s1,s1_1,ME,soon,5,9\n", "row 2: onset is 'soon'"),
        (f"{LABELS}s1,s1_1,ME,1,x,9\n", "row 2: apex is 'x'"),
        (f"{LABELS}s1,s1_1,ME,,5,9\n", "row 2: onset is empty"),
        (f"{LABELS}s1,s1_1,Micro,1,5,9\n", "row 2: kind must be ME or MaE"),
        (
            f"{LABELS}s1,s1_1,ME,1,5,9\n\ns1,s1_1,ME,30,,20\n",
            "row 4: no rule mends onset 30",
        ),
        (f"{NO_APEX}s1,s1_1,ME,30,20\n", "row 2: no rule mends onset 30, apex empty, offset 20"),
        (f"{NO_APEX}s1,s1_1,ME,30,\n", "row 2: no rule mends onset 30, apex empty, offset empty"),
        (f"{LABELS}s1,s1_1,ME,40,30,20\n", "row 2: no rule mends onset 40, apex 30, offset 20"),
        (f"{LABELS}s1,s1_1,ME,-3,5,9\n", "row 2: no rule mends onset -3"),
        (f"{LABELS}s1,s1_1,ME,20,5,30\n", "row 2: no rule mends onset 20, apex 5, offset 30"),
        (f"{LABELS}s1,s9_1,ME,1,5,9\n", "row 2: video is not in the table of videos (video=s9_1)"),
        (f"{LABELS}s2,s1_1,ME,1,5,9\n", "row 2: subject is 's2', but video s1_1 is of 's1'"),
        (f"{NO_APEX}s1,s1_1,ME,0.52,0.84\ns1,s1_1,ME,2.1,2.4\n", "write frames, not seconds"),
        (LABELS.replace("kind", "type") + "s1,s1_1,ME,1,5,9\n", "column 'kind' is missing"),
        (LABELS.replace("offset", "end") + "s1,s1_1,ME,1,5,9\n", "column 'offset' is missing"),
        (f"{LABELS}s1,s1_1,ME,1,5,9\n".replace(",", ";"), "it separates by semicolons"),
        ("Filename,OnsetF,OffsetF\na,1,2\n", "of SMIC-E-Long, for which there is no reader"),
    ],
)
def test_what_is_more_likely_a_mistake_is_still_refused(text, words, tmp_path, capfd):
    assert evaluate.main(own(tmp_path, text)) == 2
    line = said(capfd, "evaluate")
    assert str(tmp_path / "mine.csv") in line and words in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bad", ["0,9", "30,20", "1.5,9", "90,101"])
def test_predictions_are_never_mended(bad, tmp_path, capfd):
    words = own(
        tmp_path, f"{LABELS}s1,s1_1,ME,{bad.split(',')[0]},50,60\n", guesses=f",s1_1,ME,{bad}\n"
    )
    assert evaluate.main(words) == 2
    assert "guesses.csv, row 2" in said(capfd, "evaluate")


def test_a_list_of_an_earlier_call_does_not_stay(tmp_path):
    out = tmp_path / "out"
    assert evaluate.main(own(tmp_path, f"{LABELS}s1,s1_1,ME,0,5,9\n")) == 0
    assert repairs(out).rule.tolist() == ["onset_zero"]
    assert evaluate.main(own(tmp_path, f"{LABELS}s1,s1_1,ME,1,5,101\n")) == 0
    assert repairs(out).rule.tolist() == ["past_end"]
    assert evaluate.main(own(tmp_path, f"{LABELS}s1,s1_1,ME,1,5,9\n")) == 0
    assert [path.name for path in out.iterdir()] == ["scores.json"]


def test_the_list_of_a_bank_is_the_banks(tmp_path, capfd):
    bank = write_bank(tmp_path / "bank", subjects=1)
    (bank / "repairs.csv").write_text("the bank's\n")
    words = own(tmp_path, f"{LABELS}s1,s1_1,ME,1,5,9\n")[:3]
    assert evaluate.main([*words, f"--out={bank}"]) == 0
    (tmp_path / "mine.csv").write_text(f"{LABELS}s1,s1_1,ME,0,5,9\n")
    before = (bank / "scores.json").read_bytes()
    assert evaluate.main([*words, f"--out={bank}"]) == 2
    assert f"{bank}: is a bank" in said(capfd, "evaluate")
    assert (bank / "repairs.csv").read_text() == "the bank's\n"
    assert (bank / "scores.json").read_bytes() == before


def test_a_disk_that_is_full_at_the_second_file_keeps_neither(tmp_path):
    words = own(tmp_path, LABELS + "s1,s1_1,ME,0,5,9\n" * 100)
    done = limited(3000, "evaluate", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "repairs.csv cannot be written" in one_line(done.stderr, "evaluate")
    assert not list((tmp_path / "out").iterdir())


def test_prepare_mends_an_own_table_by_the_same_rules(tmp_path):
    table = csv_tree(tmp_path / "in")
    (table / "annotations.csv").write_text(
        f"{LABELS}p,v,ME,1,2,3\np,v,ME,0,1.6,3\np,v,MaE,2,,9\np,w,ME,1,2,3\n"
    )
    assert call("csv", table, tmp_path / "bank") == 0
    assert (tmp_path / "bank" / "annotations.csv").read_text() == (
        f"{LABELS}p,v,ME,1,2,3\np,v,MaE,2,4,4\n"
    )
    assert repairs(tmp_path / "bank")[["row", "rule", "after"]].values.tolist() == [
        ["3", "round_fraction", "apex 2"],
        ["3", "onset_zero", "onset 1"],
        ["3", "duplicate", "left out (the same as row 2)"],
        ["4", "missing_apex", "apex 5"],
        ["4", "past_end", "apex 4, offset 4"],
        ["5", "no_video", "left out (there is no such video)"],
    ]
    (table / "annotations.csv").write_text(f"{NO_APEX}p,v,ME,1,4\np,v,MaE,3,4\n")
    assert call("csv", table, tmp_path / "bank", "--labels-only") == 0
    assert (tmp_path / "bank" / "annotations.csv").read_text() == (
        f"{LABELS}p,v,ME,1,2,4\np,v,MaE,3,3,4\n"
    )
    assert repairs(tmp_path / "bank").empty


@pytest.mark.parametrize("ending", [".csv", ".txt", ""])
def test_a_canonical_table_may_have_any_ending_and_come_through_a_pipe(ending, tmp_path):
    words = own(tmp_path, f"{LABELS}s1,s1_1,ME,0,5,9\n")
    shutil.move(tmp_path / "mine.csv", tmp_path / f"mine{ending}")
    words[1] = f"--annotations={tmp_path / f'mine{ending}'}"
    assert evaluate.main(words) == 0
    read, write = os.pipe()
    os.write(write, (tmp_path / f"mine{ending}").read_bytes())
    os.close(write)
    words[1] = f"--annotations=/dev/fd/{read}"
    assert evaluate.main(words) == 0
    os.close(read)
    assert scores(tmp_path / "out")["ME"]["ground_truth"] == 1


def test_sheets_as_csv_with_a_mistake_name_their_row(tmp_path, capfd):
    book = write_samm_lv(tmp_path / "a.xlsx", [("006", "006_1", "ME", 1, 5, "late")])
    sheet = save_as_csv(book, tmp_path / "a.csv")
    words = own(tmp_path, LABELS)
    words[1] = f"--annotations={sheet}"
    assert evaluate.main(words) == 2
    assert said(capfd, "evaluate").startswith(f"{sheet}, row 11: Offset is 'late'")
    sheet.write_text(sheet.read_text("utf-8-sig").replace(",", ";"))
    assert evaluate.main(words) == 2
    assert f"{sheet}: it separates by semicolons" in said(capfd, "evaluate")
    sheet.write_text('99,anger1_1,5,10,20,"4,7",negative,micro-expression,anger\n')
    assert evaluate.main(words) == 2
    assert "row 1: participant '99' is none of the release's" in said(capfd, "evaluate")


def test_participants_of_a_sheet_as_csv_are_those_of_the_release(tmp_path):
    rows = [f"{n},happy5_{n},1,2,3,4,positive,macro-expression,joy\n" for n in range(1, 23)]
    (tmp_path / "a.csv").write_text("".join(rows))
    absent = {17, 18, 28, 39}
    subjects = [f"s{number}" for number in range(15, 41) if number not in absent]
    assert read_cas_me2(tmp_path / "a.csv").video.tolist() == [f"{s}_0508" for s in subjects]
    with pytest.raises(UserError, match="is the workbook of CAS"):
        read_samm_lv(tmp_path / "a.csv")


def test_help_teaches_published_labels(capsys):
    with pytest.raises(SystemExit):
        evaluate.main(["--help"])
    says = capsys.readouterr().out
    for word in ("SAMM_LongVideos_V3_Release.xlsx", "repairs.csv", "apex if known", "--rules-off"):
        assert word in says
