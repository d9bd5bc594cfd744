"""The wheel in a folder of its own, away from the checkout: what it holds, and that it trains."""

import os
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
from tiny_banks import ROOT
from video_files import feat_clip

import jaxspot

# Nothing that holds a folder `configs` may be on the path, so no checkout is.
AWAY = """
import os, sys
sys.path[:] = [path for path in sys.path if not os.path.isdir(os.path.join(path, "configs"))]
import jaxspot
assert jaxspot.__file__.startswith(os.getcwd()), jaxspot.__file__
sys.argv[0] = "jaxspot"
"""
CONSOLE = f"{AWAY}\nfrom jaxspot.cli import main\nsys.exit(main())"
SMALL = [
    "--config.data.synthetic.subjects=3",
    "--config.data.synthetic.seconds=15",
    "--config.data.synthetic.fps=10",
    "--config.training.epochs=1",
    "--config.training.steps=1",
    "--config.training.batch=2",
    "--config.protocol.fit=training",
    "--config.control.folds=0",
    "--config.peers=()",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def away(wheel):
    """A folder that holds the wheel unpacked."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(wheel.parent / "installed")
    return wheel.parent / "installed"


def run(away, code, *words):
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=away,
        env=os.environ | {"PYTHONPATH": str(away)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_one_package_its_types_and_all_configs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"jaxspot", f"jaxspot-{jaxspot.__version__}.dist-info"}
    assert {"jaxspot/__init__.pyi", "jaxspot/py.typed"} <= set(names)
    configs = {f"jaxspot/configs/{path.name}" for path in (ROOT / "configs").glob("*.py")}
    assert {name for name in names if "configs/" in name} == {
        *configs,
        "jaxspot/configs/__init__.py",
    }
    assert not [name for name in names if "test_" in name or name.endswith(".pyc")]


def test_the_installed_package_tells_its_names_and_version(away):
    shown = run(away, f"{AWAY}\nhelp(jaxspot)").splitlines()
    assert [name for name in jaxspot.__all__ if f"      {name}" not in shown] == []
    assert run(away, CONSOLE, "--version") == f"jaxspot {jaxspot.__version__}\n"
    assert "benchmark, fps200, ablation, choices" in run(away, CONSOLE, "help", "train")


@pytest.mark.slow
def test_a_config_trains_by_its_name_without_a_checkout(away):
    words = ["train", "--config=synthetic:best", "--out=run", *SMALL]
    assert run(away, CONSOLE, *words).splitlines()[-1] == "open run/report.html"
    assert (away / "run" / "report.html").is_file()


def test_it_spots_a_video_by_the_weights_inside(wheel, away):
    with zipfile.ZipFile(wheel) as packed:
        sizes = {info.filename: info.file_size for info in packed.infolist()}
    assert 0 < sizes["jaxspot/weights/spotter.npz"] < 1_500_000
    clip = feat_clip("single_face.mp4")
    run(away, CONSOLE, "spot", "--min-chance=0.01", "--out=spotted", str(clip))
    table = pd.read_csv(away / "spotted" / "single_face" / "intervals.csv")
    assert set(table.kind) <= {"ME", "MaE"} and table.score.between(0.01, 1).all()
    assert len(pd.read_csv(away / "spotted" / "single_face" / "frames.csv")) == 72
