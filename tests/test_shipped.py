"""A spotter in one file, the one that comes with jaxspot, and its card."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from damage import Count, damages
from made_spotters import seen_as_motion, untrained
from tiny_banks import ROOT

from jaxspot.errors import UserError
from jaxspot.live.scorer import load_causal
from jaxspot.spotting.saved_spotter import load_spotter, save_shipped
from jaxspot.spotting.spotter_file import CAUSAL, read_card, write_spotter_file


@pytest.fixture(scope="module")
def spotter():
    return untrained(trunk="motion", fusion_width=8)


@pytest.fixture
def path(spotter, tmp_path):
    path = tmp_path / "weights" / "spotter.npz"
    save_shipped(path, spotter, {"made": "up"})
    return path


def test_all_but_the_last_digits_of_the_weights_return(spotter, path):
    found = load_spotter(path)
    for field in dataclasses.fields(spotter):
        if field.name != "variables":
            assert getattr(found, field.name) == getattr(spotter, field.name), field.name
    same = lambda a, b: np.testing.assert_allclose(a, b, rtol=2**-11, atol=2**-24)
    jax.tree.map(same, found.variables, spotter.variables)
    assert {leaf.dtype for leaf in jax.tree.leaves(found.variables)} == {np.dtype("float32")}
    frames = seen_as_motion(60)
    before, after = (one.score(frames, 30.0) for one in (spotter, found))
    assert np.ptp(before, axis=0).min() > 0.01 and np.abs(before - after).max() < 1e-3


def test_causal_weights_come_too_with_a_card_and_look_at_no_later_frame():
    card, spotter = read_card(CAUSAL), load_causal()
    assert card["sha256"] == hashlib.sha256(CAUSAL.read_bytes()).hexdigest()
    assert card["data"]["level"] == "untidy" and CAUSAL.stat().st_size < 1_500_000
    assert (spotter.skips(30.0) > 0).all() and spotter.judge is not None


def test_running_statistics_are_not_rounded(tmp_path):
    spotter = untrained()
    save_shipped(tmp_path / "spotter.npz", spotter, {})
    found = load_spotter(tmp_path / "spotter.npz")
    assert jax.tree.leaves(spotter.variables["batch_stats"])
    same = np.testing.assert_array_equal
    jax.tree.map(same, found.variables["batch_stats"], spotter.variables["batch_stats"])


def test_the_same_spotter_gives_the_same_bytes_and_the_card_names_them(spotter, path, tmp_path):
    data = path.read_bytes()
    digest = save_shipped(tmp_path / "again.npz", spotter, {"made": "again"})
    assert (tmp_path / "again.npz").read_bytes() == data
    card = read_card(path)
    assert card == {"made": "up", "sha256": digest, "bytes": len(data)}
    assert hashlib.sha256(data).hexdigest() == digest


def test_a_weight_too_large_for_the_file_is_refused(spotter, tmp_path):
    variables = jax.tree.map(np.copy, spotter.variables)
    variables["params"]["Output"]["bias"][0] = 7e4
    with pytest.raises(ValueError, match=r"params/Output/bias: .* not below 65,504"):
        save_shipped(tmp_path / "a.npz", dataclasses.replace(spotter, variables=variables), {})
    assert not list(tmp_path.iterdir())


def test_every_flipped_bit_and_a_truncated_file_are_refused(path, tried):
    count = Count()
    for kind in damages(path, seed=0, flips=6, cuts=4):
        with pytest.raises(UserError, match=r"spotter\.npz: altered .*; install jaxspot again"):
            load_spotter(path)
        count.add(kind, True)
    assert count.all
    tried.row("Damage", "a file of weights", *count.cells, "refused")


def test_a_missing_file_and_a_card_that_says_nothing(path, tmp_path):
    with pytest.raises(UserError, match=r"card\.json: missing or not readable; "):
        load_spotter(tmp_path / "none.npz")
    moved = shutil.copytree(path.parent, tmp_path / "moved")
    (moved / "spotter.npz").unlink()
    with pytest.raises(UserError, match=r"spotter\.npz: no weights here; "):
        load_spotter(moved / "spotter.npz")
    for text in ("", "[]", "{}", "{"):
        path.with_name("card.json").write_text(text)
        with pytest.raises(UserError, match=r"card\.json: missing or not readable; "):
            load_spotter(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(settings={}), "saved by another version of jaxspot .*'model'"),
        (dict(settings={"model": {"trunk": "none"}}), "saved by another version of jaxspot"),
        (dict(variables={"params": {"Output": np.zeros((2, 3))}}), "have other shapes than"),
    ],
)
def test_a_file_of_another_version_is_one_line(spotter, tmp_path, change, said):
    values = dict(settings=spotter.settings(), variables=spotter.variables) | change
    path = tmp_path / "spotter.npz"
    write_spotter_file(path, card={}, **values)
    with pytest.raises(UserError, match=f"{said}.*; install jaxspot again"):
        load_spotter(path)


def test_a_file_that_holds_something_else(tmp_path):
    path = tmp_path / "spotter.npz"
    path.write_bytes(b"no archive")
    digest = hashlib.sha256(b"no archive").hexdigest()
    path.with_name("card.json").write_text(json.dumps({"sha256": digest}))
    with pytest.raises(UserError, match=r"spotter\.npz: holds no spotter"):
        load_spotter(path)


def test_the_file_is_read_without_orbax(path):
    """What reads checkpoints need not work for those who only spot."""
    code = (
        "import sys; sys.modules['orbax.checkpoint'] = None\n"
        "from jaxspot.spotting.spotter_file import read_spotter_file\n"
        f"settings, variables = read_spotter_file({str(path)!r})\n"
        "assert 'params' in variables and 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
