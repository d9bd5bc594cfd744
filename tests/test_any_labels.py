"""Whatever a file of labels holds: a right answer or a UserError in one line, never a traceback."""

import datetime
import io
import json
import shutil
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from release_sheets import SAMM_LV_HEADER
from tiny_banks import rehash, write_bank

from jaxspot.annotations.intervals import KINDS
from jaxspot.annotations.labels import OF_SHEETS, read_labels
from jaxspot.annotations.timed import FrameTimes
from jaxspot.datasets.openface import openface_fps, read_openface_csv
from jaxspot.errors import UserError
from jaxspot.motion.pack import Segments
from jaxspot.video.bank import open_bank

FEW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEWER = settings(FEW, max_examples=25)
SAMM_CSV = ",".join(SAMM_LV_HEADER) + "\n006,006_1_1,,10,20,30,21,Macro,4,\n"
CAS_CSV = "1,anger1_1,10,20,30,4,anger,macro-expression,a\n1,anger1_2,5,6,8,4,anger,micro,a\n"
CANONICAL = "subject,video,kind,onset,apex,offset\np,v,ME,3,5,9\np,v,MaE,10,20,\n"
ELAN = "ME\t\t0.067\t0.3\tsmile\tfile:///C:/talk.eaf\nMaE\t\t0.633\t2.333\tx\tfile:///C:/talk.eaf\n"
MEGC = "vid,pred_onset,pred_offset,type\nv,3,9,me\n"
EAF = '<?xml version="1.0"?><ANNOTATION_DOCUMENT><HEADER/></ANNOTATION_DOCUMENT>'
BORIS = "Observation id,Behavior,Start (s),Stop (s)\nv,ME,0.1,0.4\n"
CAS3_CSV = "Subject,Filename,Onset,Apex,Offset,Expression type\nspNO.1,a,3,4,9,Micro\n"
SMIC_CSV = "Subject,Filename,FirstF,OnsetF,OffsetF\n1,s1_ne_01,300,303,310\n"
TEXTS = [SAMM_CSV, CAS_CSV, CAS3_CSV, SMIC_CSV, CANONICAL, ELAN, MEGC, EAF, BORIS]
HEADERS = [[], SAMM_LV_HEADER, *(text.splitlines()[0].split(",") for text in (CAS3_CSV, SMIC_CSV))]
SIGNS = [*"0123456789,;.\t\n\r \"'-_eEx=<>/", "\x00", "\ufeff", "é", "1e400", "nan", "inf", "\n\n"]
OPENFACE = (
    "frame, face_id, timestamp, confidence, success\n1, 0, 0.0, 0.9, 1\n2, 0, 0.033, 0.9, 1\n"
)


@st.composite
def spoiled(draw, texts):
    """One of the texts after a few edits, as bytes."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(["", *SIGNS])) + text[stop:]
    data = text.encode(
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])), "replace"
    )
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def checked(call):
    """What a call gives, or None for a UserError in one line."""
    try:
        return call()
    except UserError as error:
        assert "\n" not in str(error) and str(error)
        return None


def are_right(labels):
    table = labels.annotations
    assert table.kind.isin(KINDS).all()
    assert ((table.onset >= 1) & (table.onset <= table.apex) & (table.apex <= table.offset)).all()


@FEW
@given(data=spoiled(TEXTS), name=st.sampled_from(["a.csv", "a.txt", "a.xlsx", "a.eaf", "a"]))
def test_texts(data, name, tmp_path):
    (tmp_path / name).write_bytes(data)
    for times in (None, lambda video: FrameTimes(30.0)):
        labels = checked(lambda times=times: read_labels(tmp_path / name, times=times))
        if labels is not None:
            are_right(labels)


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["006_1_1", "anger1_1", "Macro", "Micro - 1/2", "006", "=1/0", "12", " ", "é"]),
    st.just(datetime.date(2020, 1, 5)),
    st.just(datetime.datetime(2020, 1, 5)),
    st.just(datetime.time(1, 2)),
    st.just(datetime.timedelta(3)),
)


@FEWER
@given(
    rows=st.lists(st.lists(cells, max_size=10), max_size=4),
    header=st.sampled_from(HEADERS),
    cut=st.integers(0, 3000),
    spare=st.integers(0, 2),
)
def test_workbooks(rows, header, cut, spare, tmp_path):
    book = Workbook()
    for row in [header, ["006", "006_1_1", 1, 10, 20, 30, 21, "Macro", 4, None], *rows]:
        book.active.append(row)
    for _ in range(spare):
        book.create_sheet().append([15, "s15", 1])
    data = io.BytesIO()
    book.save(data)
    whole = data.getvalue()
    for content in (whole, whole[:cut] + whole[cut + 9 :]):
        (tmp_path / "a.xlsx").write_bytes(content)
        for dataset in (None, *OF_SHEETS):
            labels = checked(lambda d=dataset: read_labels(tmp_path / "a.xlsx", dataset=d))
            if labels is not None:
                are_right(labels)


@FEW
@given(data=spoiled([OPENFACE, OPENFACE.replace(", ", ","), OPENFACE.replace(", ", ";")]))
def test_tables_of_openface(data, tmp_path):
    (tmp_path / "a.csv").write_bytes(data)
    table = checked(lambda: read_openface_csv(tmp_path / "a.csv"))
    if table is not None:
        assert len(table) and (table.frame >= 0).all() and (table.face_id >= 0).all()
        rate = checked(lambda: openface_fps(tmp_path / "a.csv"))
        assert rate is None or 0 < rate < np.inf


@FEWER
@given(
    shape=st.sampled_from([(270, 12, 2), (270, 12), (3,), (0, 12, 2), (270, 12, 2, 1)]),
    kind=st.sampled_from(["f4", "f8", "i8", "U3", "c16", "O", "b1"]),
    key=st.sampled_from(["feature", "features"]),
    cut=st.one_of(st.none(), st.integers(0, 400)),
)
def test_segments_of_a_pack(shape, kind, key, cut, tmp_path):
    path = tmp_path / "casme_015_0101_0000.npz"
    arrays: Any = {key: np.ones(shape, kind)}
    np.savez(path, **arrays)
    if cut is not None:
        path.write_bytes(path.read_bytes()[:cut])
    motion = checked(Segments((path,)).read)
    assert motion is None or (motion.shape[1:] == (12, 2) and np.isfinite(motion).all())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_bank(tmp_path_factory.mktemp("bank") / "bank", subjects=1)


@FEWER
@given(
    name=st.sampled_from(["videos.csv", "annotations.csv", "bank.json", "frames/s1_1.npy"]),
    data=st.data(),
)
def test_banks(name, data, whole, tmp_path):
    bank = tmp_path / "bank"
    shutil.rmtree(bank, ignore_errors=True)
    shutil.copytree(whole, bank)
    path = bank / name
    if name.endswith("npy"):
        content = path.read_bytes()
        at = data.draw(st.integers(0, 127))
        path.write_bytes(content[:at] + data.draw(st.binary(max_size=3)) + content[at:])
    else:
        path.write_bytes(data.draw(spoiled([path.read_text()])))
    if name != "bank.json":
        rehash(bank, name)
    for verify in (True, False):
        opened = checked(lambda verify=verify: open_bank(bank, verify=verify))
        if opened is not None:
            assert opened.frames("s1_1" if "s1_1" in opened.videos.video.values else
                                 opened.videos.video[0]).shape[1:] == (112, 112)  # fmt: skip


@FEWER
@given(value=st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=4)),
                          lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
                              st.sampled_from(["format", "source", "sha256", "videos", "motion",
                                               "names", "alignment", "kind"]), inner, max_size=4),
                          max_leaves=6),
       key=st.sampled_from(["format", "source", "sha256", "motion", "alignment"]))  # fmt: skip
def test_descriptions_of_banks(value, key, whole, tmp_path):
    bank = tmp_path / "bank"
    if not bank.exists():
        shutil.copytree(whole, bank)
    meta = json.loads((whole / "bank.json").read_text())
    (bank / "bank.json").write_text(json.dumps(meta | {key: value}))
    opened = checked(lambda: open_bank(bank))
    if opened is not None:
        assert opened.alignment in ("posed", "similarity") and not opened.begins("s1_1")
