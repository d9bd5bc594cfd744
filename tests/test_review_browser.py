"""The review page in a browser: what a person does with mouse and keys is what the files say."""

import io
import json
import time
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from browser import CHROMIUM, CTRL, SHIFT, Page
from made_reviews import FOUND, THRESHOLDS, frame_times, gray_of, made_folder
from PIL import Image

from jaxspot.exports.formats import export_file
from jaxspot.review.page import write_review
from jaxspot.spotting.video_file import CLIP_INTERVAL_COLUMNS

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser")
LEFT, RIGHT = 122, 14
"""Of the curves on the canvas, in pixels."""
LANES = {"ME": 68, "MaE": 158}
"""From the top of the canvas to the boxes of a kind, in a window of 800 pixels."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a spotted video, and the times of its frames."""
    folder, times = made_folder(tmp_path_factory.mktemp("review"))
    write_review(folder)
    return folder, times


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with Page(folder) as page:
        page.folder = folder
        yield page


@pytest.fixture
def fresh(browser):
    """An empty page of 1280 x 800 that no earlier review is kept for."""
    browser.open_blank()
    browser.size(1280, 800)
    browser.problems.clear()
    yield browser
    assert browser.problems == []


@pytest.fixture
def page(made, fresh):
    """The review page of `made`, untouched."""
    show(fresh, made[0])
    return fresh


def show(page, folder):
    """Opens a review page as if for the first time."""
    page.open(folder / "review.html")
    page.js("localStorage.clear()")
    page.open(folder / "review.html")
    page.wait("document.querySelector('video').readyState >= 2")


def saved(page, key="e", name="talk.reviewed.csv"):
    """The text of the file that a key, or a click on a button, saves."""
    path = page.folder / name
    path.unlink(missing_ok=True)
    if len(key) == 1:
        page.press(key)
    else:
        page.click(key)
    end = time.monotonic() + 20
    while not path.exists() or not path.read_text("utf-8"):
        assert time.monotonic() < end, f"{name} was not saved"
        time.sleep(0.05)
    return path.read_text("utf-8")


def table(page):
    return pd.read_csv(io.StringIO(saved(page)), keep_default_na=False)


def short(rows):
    names = ["kind", "onset", "apex", "offset", "verdict"]
    return rows[names].to_numpy().tolist()


def said(page):
    return page.js("document.getElementById('said').textContent")


def chosen(page):
    """Kind and onset in seconds of the chosen interval, as the list shows them."""
    cells = "document.querySelectorAll('#list [aria-selected=true] span')"
    return page.js(f"[...{cells}].slice(1, 3).map(cell => cell.textContent)")


def frame(page):
    return int(page.js("document.getElementById('readout').textContent").split()[1])


def choose(page, place):
    """Chooses the interval at a place of the list, counted from 1, and stops its loop."""
    page.click(f"#list li:nth-child({place})")
    page.press(" ")
    page.wait("document.querySelector('video').paused")


def place_of(page, times, seconds, kind, span=None):
    """Where on the screen a time lies in the lane of a kind, when `span` is in view."""
    x, y, width = page.js(
        "(b => [b.x, b.y, b.width])(document.querySelector('canvas').getBoundingClientRect())"
    )
    first, last = span or (times[0], times[-1] + np.median(np.diff(times)))
    share = (seconds - first) / (last - first)
    return x + LEFT + share * (width - LEFT - RIGHT), y + LANES[kind]


def test_without_a_change_the_saved_table_is_that_of_spot(page, made):
    rows = table(page)
    assert tuple(rows.columns) == (*CLIP_INTERVAL_COLUMNS, "verdict")
    text = (made[0] / "intervals.csv").read_text()
    expected = [f"{line},open" for line in text.splitlines()[1:]]
    assert saved(page).splitlines()[1:] == expected


def test_an_interval_before_a_gap_in_time_ends_with_its_last_frame(fresh, tmp_path):
    times = frame_times(200)
    times[100:] += 3600
    folder, _ = made_folder(tmp_path, times=times)
    write_review(folder)
    show(fresh, folder)
    (row,) = table(fresh).query("offset == 100").to_dict("records")
    assert float(row["offset_s"]) == pytest.approx(times[99] + 1 / 30, abs=0.01)
    (later,) = table(fresh).query("onset == 130").to_dict("records")
    assert float(later["onset_s"]) == pytest.approx(times[129], abs=1e-6)


def test_choosing_seeks_and_loops_at_a_quarter_of_the_speed(page, made):
    times = made[1]
    page.click("#list li:nth-child(2)")
    film = "document.querySelector('video')"
    assert chosen(page) == ["ME", f"{times[39]:.2f}"]
    assert page.js(f"{film}.playbackRate") == 0.25 and not page.js(f"{film}.paused")
    start, end = times[39] - 0.2, times[48] + 0.2
    page.js(f"window.seen = []; setInterval(() => seen.push({film}.currentTime), 20)")
    page.wait("seen.some((t, i) => i && t < seen[i - 1] - 0.1)", seconds=30)
    seen = page.js("seen")
    assert min(seen) >= start - 0.02 and max(seen) <= end + 0.1
    page.press(" ")
    page.wait(f"{film}.paused")


@pytest.mark.parametrize("number", [1, 57, 123, 200])
def test_a_frame_is_the_one_of_its_own_time(page, made, number):
    """The file's frame rate varies: number / fps would show another picture."""
    times, level = made[1], gray_of(number)
    page.press(*["ArrowRight"] * ((number - 1) % 10))
    page.press(*["ArrowRight"] * ((number - 1) // 10), modifiers=SHIFT)
    assert frame(page) == number
    readout = page.js("document.getElementById('readout').textContent")
    assert f"frame {number} of 200, {times[number - 1]:.3f} s" in readout
    end = time.monotonic() + 10
    while abs(shown_gray(page) - int(level)) > 8:
        assert time.monotonic() < end, f"{shown_gray(page)} is shown, not {level}"
        time.sleep(0.1)


def shown_gray(page):
    page.picture(page.folder / "shot.png")
    x, y = page.js(
        "(b => [b.x + b.width / 2, b.y + b.height / 2])"
        "(document.querySelector('video').getBoundingClientRect())"
    )
    with Image.open(page.folder / "shot.png") as image:
        return image.convert("L").getpixel((round(x), round(y)))


def test_keys_accept_reject_change_undo_and_a_reload_keeps_it(page, made):
    page.press("ArrowDown")  # MaE at 131, the highest chance
    page.press("a")  # goes on to ME at 40
    assert chosen(page)[0] == "ME"
    page.press("r")  # goes on to MaE at 60
    page.press("c")
    expected = [
        ["ME", 40, 44, 48, "rejected"],
        ["ME", 60, 75, 100, "open"],
        ["ME", 130, 133, 137, "open"],
        ["MaE", 131, 140, 170, "accepted"],
    ]
    assert short(table(page)) == expected
    assert "longer than an ME" in page.js("document.getElementById('detail').textContent")
    page.press("z", "z")
    undone = [[*row] for row in expected]
    undone[0][4], undone[1][0] = "open", "MaE"
    assert short(table(page)) == undone
    page.press("y")
    page.press("z", modifiers=CTRL | SHIFT)
    assert short(table(page)) == expected
    page.send("Page.reload")
    page.wait("document.readyState === 'complete'")
    page.wait("document.querySelector('video').readyState >= 2")
    assert "earlier review" in said(page)
    assert short(table(page)) == expected
    assert page.js("document.getElementById('counts').textContent") == (
        "1 accepted, 1 rejected, 2 open"
    )


def test_other_intervals_start_a_new_review(page, tmp_path):
    page.press("ArrowDown", "a")
    other, _ = made_folder(tmp_path, found=FOUND[:3])
    write_review(other)
    page.open(other / "review.html")
    assert set(table(page).verdict) == {"open"}


def test_keys_move_the_ends_to_the_frame_shown(page, made):
    choose(page, 2)
    page.press("ArrowUp", "ArrowDown", " ")
    page.press("i")  # the loop starts before the onset
    first = frame(page)
    page.press("ArrowRight", "ArrowRight", "o")  # before the old apex
    page.press("ArrowLeft", "x")
    row = short(table(page))[0]
    assert row == ["ME", first, first + 1, first + 2, "open"] and first < 40


def test_dragging_an_end_snaps_to_the_frames_own_times(page, made):
    times = made[1]
    ends = np.append(times[1:], times[-1] + np.median(np.diff(times)))
    choose(page, 1)  # MaE 131 to 170
    page.press("0")
    page.click("#order")  # focus away from the canvas changes nothing
    page.press("Escape")
    spot = lambda seconds: place_of(page, times, seconds, "MaE")
    to = (times[119] + times[120]) / 2 - 0.2 * (times[120] - times[119])
    page.drag(spot(times[130]), spot(to))
    assert short(table(page))[2][1] == 120, "the nearer start"
    page.drag(spot(ends[169]), spot(ends[184] + 0.3 * (ends[185] - ends[184])))
    rows = table(page)
    assert short(rows)[2] == ["MaE", 120, 140, 185, "open"]
    assert rows.onset_s[2] == times[119] and rows.offset_s[2] == round(ends[184], 6)
    page.drag(spot(ends[184]), spot(times[99]))  # beyond the onset
    assert short(table(page))[2] == ["MaE", 120, 120, 120, "open"]
    page.press("z", "z", "z")
    assert short(table(page))[3][:4] == ["MaE", 131, 140, 170]


def test_intervals_are_added_by_key_and_mouse_and_removed(page, made):
    times = made[1]
    page.press("ArrowRight", modifiers=SHIFT)
    page.press("n")
    added = table(page).iloc[0]
    assert added.onset == 11 and (added.kind, added.verdict) == ("ME", "accepted")
    assert (added.score, str(added["rank"]), str(added.face)) == ("", "", "0")
    assert abs(added.offset_s - added.onset_s - 0.3) < 0.05
    page.press("0")
    spot = lambda number: place_of(page, times, times[number - 1] + 0.001, "MaE")
    page.drag(spot(180), spot(195), modifiers=SHIFT)
    assert short(table(page))[-1] == ["MaE", 180, 187, 194, "accepted"]
    assert str(table(page).iloc[-1].face) == "1"
    page.press("Delete")
    assert len(table(page)) == 5
    choose(page, 1)
    page.press("Delete")
    assert "Only an interval that you added" in said(page) and len(table(page)) == 5


def test_a_click_on_the_canvas_seeks_or_chooses(page, made):
    times = made[1]
    page.press("0")
    for number, kind in ((20, "ME"), (150, "ME")):
        x, y = place_of(page, times, times[number - 1] + 0.01, kind)
        page.drag((x, y), (x, y))
        assert frame(page) == number
    x, y = place_of(page, times, times[79], "MaE")
    page.drag((x, y), (x, y))
    assert chosen(page) == ["MaE", f"{times[59]:.2f}"]


def test_panning_and_zooming_move_the_view(page, made):
    """Zoomed in about a place, the same place seeks to the same frame."""
    times = made[1]
    page.press("0")
    x, y = place_of(page, times, times[99] + 0.01, "ME")
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-500)
    page.drag((x, y), (x, y))
    assert frame(page) == 100
    page.drag((x, y), (x - 60, y))
    page.drag((x - 60, y), (x - 60, y))
    assert frame(page) == 100
    page.drag((x, y), (x, y))
    moved = frame(page)
    page.press("0")
    page.drag((x - 60, y), (x - 60, y))
    assert 100 < moved < 110 and frame(page) < 100, "after 0 the whole video is seen again"


def eaf_tiers(root):
    """The annotations of an .eaf file by tier: start and stop in milliseconds, text."""
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    return {
        tier.get("TIER_ID"): [
            (*(slots[note.get(f"TIME_SLOT_REF{n}")] for n in (1, 2)), note[0].text)
            for note in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }


def test_elan_and_boris_hold_what_was_not_rejected(page, made, tmp_path):
    times = made[1]
    ends = np.append(times[1:], times[-1] + np.median(np.diff(times)))
    page.press("ArrowDown", "a", "r")  # MaE at 131 is right, ME at 40 is not
    page.press("0")
    spot = lambda number: place_of(page, times, times[number - 1] + 0.001, "MaE")
    page.drag(spot(160), spot(190), modifiers=SHIFT)
    ms = lambda seconds: round(1000 * seconds)
    expected = {
        "MaE face 0": [(ms(times[59]), ms(ends[99]), "MaE 0.45")],
        "ME face 0": [],
        "ME face 1": [(ms(times[129]), ms(ends[136]), "ME 0.25")],
        "MaE face 1": [(ms(times[130]), ms(ends[169]), "MaE 0.90")],
        "MaE face 1 (2)": [(ms(times[159]), ms(ends[188]), "MaE")],
    }
    root = ET.fromstring(saved(page, "[data-do=elan]", "talk.eaf"))
    assert eaf_tiers(root) == expected
    assert root.find(".//MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL") == "../../talk.mp4"
    project = json.loads(saved(page, "[data-do=boris]", "talk.boris"))
    assert project["project_format_version"] == "7.0"
    events = project["observations"]["talk"]["events"]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    spans = []
    for who, kind in sorted({(event[1], event[2]) for event in events}):
        own = [event[0] for event in events if event[1:3] == [who, kind]]
        spans += [(kind, ms(a), ms(b)) for a, b in zip(own[::2], own[1::2], strict=True)]
    assert sorted(spans) == sorted(
        (name.split()[0], *span[:2]) for name, tier in expected.items() for span in tier
    )
    codes = [one["code"] for one in project["behaviors_conf"].values()]
    assert codes == ["ME", "MaE"]
    (tmp_path / "talk.reviewed.csv").write_text(saved(page))
    by_python = export_file(tmp_path / "talk.reviewed.csv", ["elan", "boris"], out=tmp_path)
    eaf, boris = (next(p for p in by_python if p.suffix == end) for end in (".eaf", ".boris"))
    assert eaf_tiers(ET.parse(eaf).getroot()) == expected
    theirs = json.loads(boris.read_text())
    assert theirs["observations"]["talk"]["events"] == events
    assert theirs["behaviors_conf"] == project["behaviors_conf"]


def test_a_lost_video_is_chosen_by_hand(fresh, tmp_path):
    folder, _ = made_folder(tmp_path / "a")
    video = (tmp_path / "a" / "talk.mp4").rename(tmp_path / "elsewhere.mp4")
    write_review(folder)
    page = fresh
    page.open(folder / "review.html")
    page.wait("!document.getElementById('missing').hidden")
    why = page.js("document.getElementById('why').textContent")
    assert "talk.mp4 cannot be played from here" in why
    page.press("ArrowDown")
    assert chosen(page)[0] == "MaE", "curves and list work without it"
    page.choose_file("#choose", video)
    page.wait("document.querySelector('video').readyState >= 2")
    assert page.js("document.getElementById('missing').hidden")
    page.problems[:] = [one for one in page.problems if "ERR_FILE_NOT_FOUND" not in str(one)]


def test_a_spotter_with_thresholds_and_a_video_without_intervals(fresh, tmp_path):
    folder, _ = made_folder(tmp_path, decision=THRESHOLDS, found=FOUND[:0])
    write_review(folder)
    page = fresh
    show(page, folder)
    assert "threshold: peaks above it" in page.js("document.querySelector('.legend').innerText")
    page.press("ArrowDown", "a", "r", "c", "i", "Delete", "z", "l", "ArrowUp")
    assert saved(page).count("\n") == 1
    page.press("m")
    assert short(table(page))[0][0] == "MaE"


def test_every_control_is_reached_by_tab(page):
    names = set()
    for _ in range(40):
        page.press("Tab")
        names.add(page.js("document.activeElement.dataset.do || document.activeElement.id"))
    wanted = {"play", "list", "addME", "csv", "elan", "boris", "zoomIn", "speed", "order", "help"}
    assert wanted <= names


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_nothing_is_cut_off(made, fresh, size):
    fresh.size(*size)
    show(fresh, made[0])
    root = "document.documentElement"
    assert fresh.js(f"[{root}.scrollWidth, {root}.scrollHeight]") == [*size]
    keys = "document.getElementById('help')"
    assert fresh.js(f"{keys}.scrollHeight <= {keys}.clientHeight"), "all keys are seen"
