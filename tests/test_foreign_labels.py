import itertools
import json

import numpy as np
import pandas as pd
import pytest
from made_intervals import ROWS, write_intervals
from prepare_calls import call, csv_tree
from video_files import encode, noise

from jaxspot.annotations.columns import read_file
from jaxspot.annotations.foreign import read_foreign
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.plausible import marked_twice, of_two_kinds
from jaxspot.annotations.timed import Foreign, FrameTimes, Timed, foreign_labels, kind_in
from jaxspot.datasets.folders import video_source
from jaxspot.errors import UserError
from jaxspot.evaluation.score_files import evaluate_files, read_predictions, read_truth
from jaxspot.exports.formats import export_file

VIDEOS = pd.DataFrame(
    [("s", "talk", 100, 30.0), ("s", "walk", 400, 200.0)],
    columns=["subject", "video", "frames", "fps"],
)
SPANS = sorted((row[0], row[2], row[3]) for row in ROWS)

# As ELAN 6 writes them: without titles, all three formats of times.
ELAN_PLAIN = (
    "ME\tann\t00:00:00.067\t0.067\t67\t00:00:00.300\t0.3\t300\t00:00:00.233\t0.233\t233\tsmile\n"
    "MaE\t\t00:00:00.633\t0.633\t633\t00:00:02.333\t2.333\t2333\t00:00:01.700\t1.7\t1700\t\n"
)
# Of several files, with titles; and a column for each tier. Titles are in the user's language.
ELAN_TITLED = (
    "Tier\tParticipant\tBegin Time - ss.msec\tEnd Time - ss.msec\tText\tFile Path\n"
    "ME\t\t0.067\t0.3\tsmile\tfile:///C:/Users/a b/talk.eaf\n"
    "MaE\t\t0.633\t2.333\tsmile\tfile:///C:/Users/a b/talk.eaf\n"
)
ELAN_COLUMNS = (
    "Temps de départ - msec\ttemps de fin - msec\tDurée - msec\tME\tMaE\n"
    "67\t300\t233\tsmile\t\n633\t2333\t1700\t\tx\n"
)
BORIS_HEAD = "Observation id\tObservation date\tDescription\tTime offset (s)\tSubject\tBehavior"
BORIS_HEAD += "\tBehavioral category\tBehavior type\tTime\tMedia file name\tComment\n"
BORIS_ROW = "{id}\t2026-01-01 10:00:00\t\t0.0\t{who}\t{code}\t\t{status}\t{time}\t{file}\t\n"
BORIS_OLD = (
    "Observation id\tone\n\nMedia file(s)\n\n"
    "Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tComment\tStatus\n"
    "0.067\tC:\\videos\\talk.mp4\t3.3\t30\tann\tME\t\tSTART\n"
    "0.3\tC:\\videos\\talk.mp4\t3.3\t30\tann\tME\t\tSTOP\n"
    "0.633\tC:\\videos\\talk.mp4\t3.3\t30\tann\tMaE\t\tSTART\n"
    "2.333\tC:\\videos\\talk.mp4\t3.3\t30\tann\tMaE\t\tSTOP\n"
)
BORIS_AGGREGATED = (
    "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s),Media file name\n"
    "one,ann,ME,STATE,0.067,0.3,videos/talk.mp4\none,ann,macro smile,STATE,0.633,2.333,talk.mp4\n"
)
MEGC = "vid,pred_onset,pred_offset,type\ntalk,3,9,me\ntalk,20,70,mae\n"
TWO = [("ME", 3, 9), ("MaE", 20, 70)]


def boris(*events):
    """Events (subject, behavior, status, time) as BORIS 8 exports them."""
    row = lambda who, code, status, time: BORIS_ROW.format(
        id="one", who=who, code=code, status=status, time=time, file="videos/talk.mp4"
    )
    return BORIS_HEAD + "".join(row(*event) for event in events)


PAIRS = [("a", "ME", "START", 0.067), ("b", "MaE", "START", 0.633), ("a", "ME", "STOP", 0.3)]
PAIRS += [("b", "MaE", "STOP", 2.333)]
FILES = {
    "elan.txt in one": ("talk.txt", ELAN_PLAIN),
    "elan titled": ("all.txt", ELAN_TITLED),
    "elan with columns": ("talk.tsv", ELAN_COLUMNS),
    "elan with commas": ("all.csv", ELAN_TITLED.replace("\t", ",")),
    "boris": ("events.tsv", boris(*PAIRS)),
    "boris with commas": ("events.csv", boris(*PAIRS).replace("\t", ",")),
    "boris 7": ("old.tsv", BORIS_OLD),
    "boris aggregated": ("sum.csv", BORIS_AGGREGATED),
    "megc 2022": ("cas_pred.csv", MEGC),
    "megc 2023": ("cas_pred.csv", MEGC.replace("pred_", "")),
}


def spans(table):
    return sorted(table[["kind", "onset", "offset"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_programs_are_labels_and_predictions(tmp_path, name):
    file, text = FILES[name]
    (tmp_path / file).write_text(text)
    labels = read_truth(tmp_path / file, VIDEOS)
    assert spans(labels.annotations) == sorted(TWO) and labels.repairs.empty
    assert set(labels.annotations.video) == {"talk"}
    assert labels.annotations.apex.between(
        labels.annotations.onset, labels.annotations.offset
    ).all()
    assert spans(read_predictions(tmp_path / file, VIDEOS)) == sorted(TWO)


@pytest.mark.parametrize(("fmt", "ending"), [("elan", ".eaf"), ("boris", ".boris")])
@pytest.mark.parametrize(("video", "fps"), [("talk", 30), ("walk", 200)])
def test_exports_are_read_back_to_the_frame(tmp_path, fmt, ending, video, fps):
    rows = "".join(
        f"{video},{kind},{face},{on},{off},{(on - 1) / fps:.6f},{off / fps:.6f},0.5\n"
        for kind, face, on, off, _ in ROWS
    )
    table = tmp_path / "intervals.csv"
    table.write_text("video,kind,face,onset,offset,onset_s,offset_s,score\n" + rows)
    (path,) = export_file(table, [fmt], out=tmp_path)
    assert path.name == video + ending
    read = read_predictions(path, VIDEOS)
    assert spans(read) == SPANS and set(read.video) == {video} and set(read.subject) == {"s"}


def test_a_submission_is_read_back(tmp_path):
    (path,) = export_file(write_intervals(tmp_path / "i.csv"), ["megc2022"], out=tmp_path)
    assert spans(read_predictions(path, VIDEOS)) == SPANS


def test_what_is_scored_against_its_own_export_is_all_right(tmp_path):
    table = write_intervals(tmp_path / "intervals.csv")
    VIDEOS.to_csv(tmp_path / "videos.csv", index=False)
    written = export_file(table, ["elan", "boris", "megc2022"], out=tmp_path)
    for labels in written:
        for guesses in [*written, table]:
            scores = evaluate_files(tmp_path / "videos.csv", labels, guesses).scores
            assert scores["overall"]["tp"] == len(ROWS) and scores["overall"]["f1"] == 1


def test_media_offset_and_dependent_tiers_of_elan(tmp_path):
    from pympi.Elan import Eaf

    eaf = Eaf()
    eaf.add_linked_file("file:///C:/my%20videos/talk.mp4", mimetype="video/mp4", time_origin=1000)
    eaf.add_tier("expressions")
    eaf.add_annotation("expressions", 0, 500, "Micro (left)")
    eaf.add_linguistic_type("note", constraints="Symbolic_Association", timealignable=False)
    eaf.add_tier("notes", ling="note", parent="expressions")
    eaf.add_ref_annotation("notes", "expressions", 100, "not sure")
    eaf.to_file(tmp_path / "x.eaf")
    assert spans(read_predictions(tmp_path / "x.eaf", VIDEOS)) == [("ME", 31, 45)]


def test_tiers_of_elan_that_are_included_in_others_are_not_read(tmp_path):
    from pympi.Elan import Eaf

    def write(*filled):
        eaf = Eaf()
        eaf.add_linked_file("file:///C:/talk.mp4", mimetype="video/mp4")
        eaf.add_linguistic_type("phase", constraints="Included_In", timealignable=True)
        eaf.add_tier("ME")
        eaf.add_tier("ME apex", ling="phase", parent="ME")
        for tier, start, stop in filled:
            eaf.add_annotation(tier, start, stop, "")
        eaf.to_file(tmp_path / "x.eaf")
        return tmp_path / "x.eaf"

    included = ("ME apex", 1100, 1200)
    assert spans(read_predictions(write(("ME", 1000, 1500), included), VIDEOS)) == [("ME", 31, 45)]
    with pytest.raises(UserError, match=r"x.eaf: only tiers that depend .*'ME apex'"):
        read_predictions(write(included), VIDEOS)


@pytest.mark.parametrize("seed", range(20))
def test_labels_marked_twice_are_all_pairs_that_overlap_by_half(seed):
    rng = np.random.default_rng(seed)
    onsets = rng.integers(1, 30, 12)
    rows = [
        (f"v{rng.integers(2)}", ["ME", "MaE"][rng.integers(2)], int(a), int(a + rng.integers(9)))
        for a in onsets
    ]
    pairs = 0
    for one, two in itertools.combinations(rows, 2):
        first, second = (set(range(row[2], row[3] + 1)) for row in (one, two))
        pairs += one[:2] == two[:2] and 2 * len(first & second) >= len(first | second)
    table = pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])
    assert len(marked_twice(table)) == pairs
    both = {row[:1] + row[2:] for row in rows if row[1] == "ME"}
    both &= {row[:1] + row[2:] for row in rows if row[1] == "MaE"}
    assert sorted(of_two_kinds(table)) == sorted(f"{v} {a}-{b} as ME and MaE" for v, a, b in both)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ME", "ME"), ("MaE 2", "MaE"), ("Micro", "ME"), ("macro_smile", "MaE"),
        ("micro-expression", "ME"), ("Macroexpressions (left)", "MaE"),
        ("microexpresión", "ME"), ("Microphone on", None), ("macros of Excel", None),
        ("microscope", None), ("meeting", None), ("", None),
    ],
)  # fmt: skip
def test_kinds_are_whole_words(text, kind):
    assert kind_in(text) == kind


def broken_project(change):
    behaviors = {
        "0": {"code": "ME", "type": "State event"},
        "1": {"code": "P", "type": "Point event"},
    }
    seen = {"file": {"1": ["talk.mp4"]}, "time offset": 0.0, "events": [[0.1, "", "ME", "", ""]]}
    project = {"project_format_version": "7.0", "behaviors_conf": behaviors}
    return json.dumps(project | {"observations": {"one": seen | change}})


EAF = "<ANNOTATION_DOCUMENT "
BAD = {
    "kind of a tier": (
        "talk.txt",
        ELAN_PLAIN.replace("MaE", "Speech"),
        r"talk.txt, row 2: the tier",
    ),
    "two kinds": ("talk.txt", ELAN_PLAIN.replace("smile", "MaE"), "row 1: .* name two kinds"),
    "no tier": ("talk.tsv", ELAN_COLUMNS.replace("\tMaE", "\tx"), "row 3: the tier 'x'"),
    "unit of elan": (
        "all.txt",
        ELAN_TITLED.replace("0.067", "2 frames"),
        "all.txt: holds no begin",
    ),
    "duration of elan": (
        "all.txt",
        ELAN_TITLED.replace("End Time", "Duration"),
        "all.txt: holds no begin and end",
    ),
    "duration of French elan": (
        "talk.txt",
        "Temps de départ - msec\tDurée - msec\tME\n67\t333\tsmile\n",
        "talk.txt: holds no begin and end",
    ),
    "video of elan": ("other.txt", ELAN_PLAIN, r"row 1: there is no video 'other'"),
    "not xml": ("x.eaf", EAF, "x.eaf: is not a readable .eaf file"),
    "point": ("e.tsv", boris(("a", "ME", "POINT", 1)), r"e.tsv, row 2: is a point event"),
    "no stop": ("e.tsv", boris(*PAIRS[:3]), r"e.tsv, row 3: MaE never stops"),
    "no start": ("e.tsv", boris(PAIRS[2]), r"row 2: ME stops before it starts"),
    "two starts": ("e.tsv", boris(PAIRS[0], PAIRS[0]), "row 3: ME starts twice"),
    "behavior": ("e.tsv", boris(("a", "nod", "START", 1)), "row 2: the behavior 'nod' must begin"),
    "unit of boris": ("e.tsv", boris(("a", "ME", "START", "1 s")), "row 2: Time is '1 s'"),
    "offset": (
        "e.tsv",
        boris(PAIRS[0]).replace("0.0\t", "5.0\t"),
        r"row 2: the observation has a time offset \(5.0\)",
    ),
    "video of boris": ("e.tsv", boris(*PAIRS).replace("talk", "x"), "row 2: there is no video 'x'"),
    "open event": ("p.boris", broken_project({}), "observation 'one', event 1: ME never stops"),
    "point of project": (
        "p.boris",
        broken_project({"events": [[0.1, "", "P", "", ""]]}),
        "event 1: the behavior 'P' must begin",
    ),
    "no project": (
        "p.boris",
        '{"project_format_version": "7.0"}',
        "not a readable project of BORIS",
    ),
    "type": ("p.csv", MEGC.replace("mae", "macro"), r"p.csv, row 3: type is 'macro'"),
    "seconds": ("p.csv", MEGC.replace("3,9", "0.1,0.3"), r"p.csv, row 2: the onset is '0.1'"),
    "video of megc": ("p.csv", MEGC.replace("talk,3", "x,3"), "row 2: there is no video 'x'"),
    "reversed": ("p.csv", MEGC.replace("3,9", "9,3"), r"row 2: ends \(3\) before it begins \(9\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line_with_file_and_row(tmp_path, name):
    file, text, says = BAD[name]
    (tmp_path / file).write_text(text)
    for read in (read_truth, read_predictions):
        with pytest.raises(UserError, match=says) as error:
            read(tmp_path / file, VIDEOS)
        assert "\n" not in str(error.value) and str(error.value).startswith(str(tmp_path / file))


def test_a_prediction_past_the_end_is_refused_and_a_label_is_clipped(tmp_path):
    (tmp_path / "p.csv").write_text(MEGC.replace("70", "102"))
    with pytest.raises(UserError, match=r"p.csv, row 3: ends with frame 102, but .* has 100"):
        read_predictions(tmp_path / "p.csv", VIDEOS)
    labels = read_truth(tmp_path / "p.csv", VIDEOS)
    assert labels.repairs.rule.tolist() == ["past_end"]
    assert labels.annotations.offset.tolist() == [9, 100]


@pytest.mark.parametrize(
    "text",
    [
        "subject,video,kind,onset,offset\ns,talk,ME,3,9\n",
        "subject\tvideo\tkind\tonset\toffset\ns\ttalk\tME\t3\t9\n",
        "a,b\n1,2\n",
        "",
    ],
)
def test_other_tables_are_not_taken_for_such_files(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert read_foreign(tmp_path / "t.csv", read_file(tmp_path / "t.csv")) is None


def test_prepare_takes_such_labels(tmp_path):
    root = csv_tree(tmp_path / "set")
    (root / "v.txt").write_text("ME\t\t0.000\t0.100\t0.100\tx\n")
    assert call("csv", root, tmp_path / "bank", f"--labels={root / 'v.txt'}") == 0
    table = pd.read_csv(tmp_path / "bank" / "annotations.csv")
    assert table.values.tolist() == [["p", "v", "ME", 1, 2, 3]]


def test_times_become_the_frames_that_are_shown_then():
    rng = np.random.default_rng(0)
    starts = 0.25 + np.cumsum(rng.uniform(0.02, 0.06, 200))
    ends = np.append(starts[1:], starts[-1] + 0.04)
    known = FrameTimes(25.0, starts, ends)
    for first, last in np.sort(rng.integers(1, 200, (50, 2)), 1).tolist():
        off = rng.uniform(-0.009, 0.009, 2)
        shown = known.between(starts[first - 1] + off[0], ends[last - 1] + off[1])
        assert shown == (first, last)
    assert known.between(starts[9], starts[9]) == (10, 10)
    assert known.between(ends[-1], ends[-1] + 0.4) == (201, 210)  # past the end: refused later


def test_a_label_before_the_first_picture_is_refused():
    late = FrameTimes(25.0, np.arange(21) / 25 + 0.5, np.arange(1, 22) / 25 + 0.5)
    row = Timed("p.txt, row 1", 1, "p_1", "ME", 0.1, 0.4)
    with pytest.raises(UserError, match=r"row 1: ends at 0.4 s, but the first picture .* 0.500 s"):
        list(foreign_labels(Foreign((row,)), {"p_1": late}.get))
    assert next(foreign_labels(Foreign((row._replace(offset=0.6),)), {"p_1": late}.get)).span == (
        pytest.approx((1, np.nan, 2), nan_ok=True)
    )


def test_prepare_takes_the_frames_that_are_shown_at_the_times_of_a_label(tmp_path):
    # The first frame lasts half a second; by the rate alone, 25 fps, labels would be 11 off.
    times = [0, *(500 + 40 * at for at in range(20))]
    (tmp_path / "set").mkdir()
    encode(tmp_path / "set" / "p_1.mp4", noise(21), times_ms=times, last_ms=40)
    (tmp_path / "p.txt").write_text("ME\t\t0.540\t0.700\t0.160\tx\tp_1.eaf\n")
    source = video_source(tmp_path / "set", labels=tmp_path / "p.txt")
    assert source.labels.annotations.values.tolist() == [["", "p_1", "ME", 3, 4, 6, 1]]
    (tmp_path / "p.txt").write_text("ME\t\t0.040\t0.200\t0.160\tx\tp_2.eaf\n")
    with pytest.raises(UserError, match=r"p.txt, row 1: there is no video 'p_2'"):
        video_source(tmp_path / "set", labels=tmp_path / "p.txt")


def test_without_frame_rates_times_are_no_labels(tmp_path):
    (tmp_path / "talk.txt").write_text(ELAN_PLAIN)
    with pytest.raises(UserError):
        read_labels(tmp_path / "talk.txt")
