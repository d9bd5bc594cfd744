"""Every input of the lists is answered as it must be, and as docs/inputs.md says."""

import inputs_banks
import inputs_beside
import inputs_labels
import inputs_notebook
import inputs_people
import inputs_pictures
import inputs_settings
import inputs_tables
import inputs_times
import inputs_videos
import pytest
from input_case import answer, answered
from made_spotters import untrained
from tiny_banks import write_bank
from tried import PAGE, rows_of

from jaxspot.spotting.saved_spotter import save_spotter

THEMES = {
    "Labels in tables": inputs_labels.CASES,
    "Who is who": inputs_people.CASES,
    "Times of frames": inputs_times.CASES,
    "Pictures": inputs_pictures.CASES,
    "Videos": [*inputs_videos.CASES, *inputs_beside.CASES],
    "Banks": inputs_banks.CASES,
    "Tables of intervals": inputs_tables.CASES,
    "Settings, folders and weights": inputs_settings.CASES,
    "In a notebook": inputs_notebook.CASES,
}
DOCTOR, NOT_WELL = "doctor --bank=bank", "What `doctor` says afterwards"
ALL = [(theme, case) for theme, cases in THEMES.items() for case in cases]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder with a bank and weights."""
    folder = tmp_path_factory.mktemp("shared")
    write_bank(folder / "bank")
    save_spotter(folder / "weights", untrained())
    return folder


@pytest.mark.parametrize(("theme", "case"), ALL, ids=[case.what for _, case in ALL])
def test_an_input_is_answered(theme, case, shared, tried, tmp_path, monkeypatch):
    line, code = answer(case, tmp_path, monkeypatch, shared)
    tried.row(theme, case.what, f"`{case.command}`", line, code)
    if case.doctor:
        line = answered(DOCTOR, case.doctor, 1, tmp_path)
        tried.row(NOT_WELL, case.what, f"`{DOCTOR}`", line, 1)


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_has_no_other_inputs(theme, tried):
    if tried.write:
        pytest.skip("the page is written at the end")
    named = [row.split(" | ")[0].removeprefix("| ") for row in rows_of(PAGE.read_text(), theme)]
    assert named == [case.what for case in THEMES[theme]]


def test_enough_was_killed_and_damaged():
    text = PAGE.read_text("utf-8")
    kills = [row.split(" | ") for row in rows_of(text, "Kills")]
    for command in ("`train`", "a sweep", "`prepare`", "`spot`", "fine-tuning"):
        assert any(cells[0].removeprefix("| ").startswith(command) for cells in kills)
    assert sum(int(cells[1]) for cells in kills) >= 30
    damages = [list(map(int, row.split(" | ")[1:4])) for row in rows_of(text, "Damage")]
    assert all(noticed == flips + cuts for flips, cuts, noticed in damages)
    assert sum(noticed for *_, noticed in damages) >= 50


def test_there_are_many_and_each_has_a_name():
    names = [case.what for _, case in ALL]
    assert len(names) >= 80 and len(set(names)) == len(names)
