"""Networks written for other programs: run back without jaxspot, their scores are the spotter's."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from made_spotters import seen_as_motion, untrained
from tiny_banks import said

from jaxspot.commands import export_model as command
from jaxspot.network.lcn import SIGMA, TRUNCATE, blur, gaussian_window
from jaxspot.network.motion import gradient
from jaxspot.spotting.exported import export_model, frame_model
from jaxspot.spotting.onnx_graph import gradient_matrix, slide_matrix
from jaxspot.spotting.saved_spotter import save_spotter

NEEDED = "pip install onnx onnxruntime: they are no part of the test environment"
has = lambda name: importlib.util.find_spec(name) is not None
with_onnx = pytest.mark.skipif(not (has("onnx") and has("onnxruntime")), reason=NEEDED)
RUN = """
import sys
import numpy as np
from jax import export
folder = sys.argv[1]
exported = export.deserialize(bytearray(open(f"{folder}/model.stablehlo", "rb").read()))
assert sorted(exported.platforms) == ["cpu", "cuda", "tpu"], exported.platforms
frames = np.load(f"{folder}/frames.npy")
found = [np.asarray(exported.call(part)) for part in (frames[:1], frames[1:])]
assert not any(name.split(".")[0] == "jaxspot" for name in sys.modules)
np.save(f"{folder}/found.npy", np.concatenate(found))
"""
PLACES = np.array([0, 7, 20, 33, 39])


def made(**fields):
    """A spotter whose two networks have different skips."""
    return untrained(trunk="motion", fusion_width=8, **fields)


def written(spotter, out, *to):
    """The folder of an export, with frames to score, and the scores that they should have."""
    card = export_model(spotter, out, to=to, weights="made up")
    frames = seen_as_motion(40)
    model = frame_model(spotter, 30.0)
    assert card["input"]["offsets"] == model.offsets.tolist() and model.offsets[0] == 0
    np.save(out / "frames.npy", model.gather(frames, PLACES))
    return spotter.score(frames, 30.0)[PLACES]


@pytest.mark.parametrize("fields", [{}, {"lcn": False}])
def test_stablehlo_runs_in_a_process_without_jaxspot(tmp_path, fields):
    wanted = written(made(**fields), tmp_path / "out", "stablehlo")
    words = [sys.executable, "-c", RUN, str(tmp_path / "out")]
    subprocess.run(words, check=True, cwd=tmp_path, timeout=300)
    found = np.load(tmp_path / "out" / "found.npy")
    assert found.shape == (5, 2) and np.ptp(wanted, axis=0).min() > 0.01
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    text = (tmp_path / "out" / "model.stablehlo.txt").read_text()
    assert "stablehlo." in text and "x112x112xui8" in text


@with_onnx
@pytest.mark.parametrize("fields", [{}, {"lcn": False}])
def test_onnx_runs_in_its_own_runtime(tmp_path, fields):
    import onnxruntime  # pyright: ignore[reportMissingImports]

    wanted = written(made(**fields), tmp_path / "out", "onnx")
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    frames = np.load(tmp_path / "out" / "frames.npy")
    (found,) = session.run(["scores"], {"frames": frames})
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    blank = np.full_like(frames[:1], 90)
    assert np.isfinite(session.run(None, {"frames": blank})[0]).all()


def test_matrices_of_the_graph_are_what_slides_in_the_network():
    image = np.random.default_rng(0).random((112, 112), np.float32)
    slide, step = slide_matrix(112), gradient_matrix(112)
    window = gaussian_window(SIGMA, TRUNCATE)
    np.testing.assert_allclose(slide @ image @ slide.T, blur(image, window), atol=1e-5)
    across, down = gradient(image)
    np.testing.assert_allclose(image @ step.T, across, atol=1e-6)
    np.testing.assert_allclose(step @ image, down, atol=1e-6)


def test_the_card_says_what_goes_in_and_comes_out(tmp_path, capsys):
    save_spotter(tmp_path / "spotter", made())
    flags = [f"--weights={tmp_path / 'spotter'}", "--fps=60", f"--out={tmp_path / 'out'}"]
    assert command.main(flags) == 0
    assert "2 networks, 60 fps: uint8 (batch, " in capsys.readouterr().out
    card = json.loads((tmp_path / "out" / "model.json").read_text())
    offsets = np.array(card["input"]["offsets"])
    skips = made().skips(60.0)
    assert set(offsets.tolist()) == {0, *(-skips).ravel().tolist()}
    assert card["input"]["shape"] == ["batch", len(offsets), 112, 112]
    np.testing.assert_allclose(card["input"]["offsets_s"], offsets / 60, atol=1e-6)
    assert card["output"]["columns"] == ["ME", "MaE"] and len(card["sha256"]) == 2


def test_what_cannot_be_written_is_one_line(tmp_path, capfd, monkeypatch):
    save_spotter(tmp_path / "motion", made())
    save_spotter(tmp_path / "paper", untrained())
    call = lambda name, *more: command.main(
        [f"--weights={tmp_path / name}", f"--out={tmp_path / 'out'}", *more]
    )
    assert call("paper", "--to=onnx") == 2
    assert 'with the trunk "motion" only' in said(capfd, "export_model")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert call("motion", "--to=stablehlo,onnx") == 2
    assert "pip install 'jaxspot[onnx]'" in said(capfd, "export_model")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    assert call("motion") == 2
    assert "is not empty" in said(capfd, "export_model")
    with pytest.raises(SystemExit):
        call("motion", "--to=tflite")
    assert "'tflite' is unknown" in capfd.readouterr().err
