"""What the world around a command may be: other settings of jax, packages of one name, pipes."""

import os
import re
import subprocess
import sys

import pytest
from tiny_banks import ROOT, one_line, start, write_bank

WORLD = "The world around a command"
MISSING = ["--config=default", "--config.data.bank=nowhere", "--out=out"]


@pytest.mark.parametrize(
    ("platform", "words"),
    [("cuda", "is 'cuda', but jax is installed without CUDA; unset it"),
     ("abacus", "jax cannot use JAX_PLATFORMS='abacus' (Unable to initialize backend 'abacus'")],
)  # fmt: skip
def test_a_device_that_is_not_there_is_one_line(platform, words, tmp_path, tried):
    bank = write_bank(tmp_path / "bank")
    flags = ["--config=default", f"--config.data.bank={bank}", f"--out={tmp_path / 'run'}"]
    done = start("launch/train.py", *flags, JAX_PLATFORMS=platform, PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    told = [line for line in done.stderr.splitlines(True) if line.startswith("train: ")]
    line = one_line("".join(told), "train")
    assert words in line and "Traceback" not in done.stderr
    told = re.sub(r" \(.*\)", "", line)  # its reason is jax's
    tried.row(WORLD, f"`JAX_PLATFORMS={platform}`", "`train`", told, 2)


def test_commands_compute_in_32_bits_whatever_jax_is_told(tried):
    code = """
from jaxspot.process import prepare_process
prepare_process()
import jax.numpy as jnp
print(jnp.arange(3.0).dtype, jnp.arange(3).dtype)
"""
    done = start("-c", code, JAX_ENABLE_X64="1")
    assert done.stdout.split() == ["float32", "int32"]
    tried.row(WORLD, "`JAX_ENABLE_X64=1`", "any", "32 bits as ever", 0)


def test_other_packages_of_the_same_name_are_not_taken(tmp_path, tried):
    for name in ("configs", "experiment", "launch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package')\n")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = start("launch/train.py", *MISSING, PYTHONPATH=paths)
    line = one_line(done.stderr, "train")
    assert "nowhere: no frame bank here" in line
    tried.row(WORLD, "a package `configs` of one's own on PYTHONPATH", "`train`", line, 2)


def test_a_reader_that_leaves_early_ends_a_command_without_a_word(tmp_path, tried):
    bank = write_bank(tmp_path / "bank")
    words = [sys.executable, "launch/doctor.py", f"--bank={bank}"]
    paths = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    options = dict(cwd=ROOT, env=paths, stderr=subprocess.PIPE)
    with subprocess.Popen(words, stdout=subprocess.PIPE, **options) as command:
        subprocess.run(["head", "-1"], stdin=command.stdout, stdout=subprocess.DEVNULL, check=True)
        command.stdout.close()
        _, said = command.communicate(timeout=60)
    assert said == b"" and command.returncode in (141, 0)
    tried.row(WORLD, "the output piped into `head -1`", "`doctor`", "one line", "141 or 0")


def test_a_reader_that_is_gone_before_the_first_line_is_no_traceback(tmp_path, tried):
    bank = write_bank(tmp_path / "bank")
    closed, writing = os.pipe()
    os.close(closed)
    words = [sys.executable, "launch/doctor.py", f"--bank={bank}"]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, cwd=ROOT, env=paths, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
    tried.row(WORLD, "the reader of the output is gone", "`doctor`", "quiet", 141)
