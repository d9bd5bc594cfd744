"""The console command, the help of every command and script, and configs by name."""

import runpy
import shutil
import sys

import pytest
from prepare_calls import call as prepare
from prepare_calls import csv_tree
from tiny_banks import ROOT

import jaxspot
from jaxspot import cli, configs
from jaxspot.commands import train
from jaxspot.errors import UserError

SCRIPTS = sorted(path.stem for path in (ROOT / "launch").glob("*.py"))


def call(monkeypatch, capsys, *words):
    """Exit code, stdout and stderr of `jaxspot WORDS`."""
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/jaxspot", *words])
    try:
        code = cli.main()
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_alone_it_lists_its_commands(words, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, *words)
    assert code == 0
    assert [name for name in cli.COMMANDS if f"  {name}" not in out] == []


def test_it_tells_its_version(monkeypatch, capsys):
    assert call(monkeypatch, capsys, "--version") == (0, f"jaxspot {jaxspot.__version__}\n", "")


@pytest.mark.parametrize("words", [["nope"], ["help", "nope"]])
def test_an_unknown_command_is_one_line(words, monkeypatch, capsys):
    code, out, error = call(monkeypatch, capsys, *words)
    assert (code, out) == (2, "") and error.count("\n") == 1
    assert "'nope'" in error and "evaluate" in error


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_teaches_as_the_console_command_is_called(name, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "help", name)
    assert code == 0 and out.startswith(f"usage: jaxspot {name} ")
    assert f"\n  jaxspot {name} " in out and "launch/" not in out
    assert call(monkeypatch, capsys, name, "--help")[1] == out


def test_a_command_may_be_written_with_a_hyphen(monkeypatch, capsys):
    hyphen = call(monkeypatch, capsys, "export-model", "--help")
    assert hyphen == call(monkeypatch, capsys, "export_model", "--help") and hyphen[0] == 0


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_teaches_as_a_script_is_called(name, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["", "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(f"launch/{name}.py", run_name="__main__")
    out = capsys.readouterr().out
    assert stop.value.code == 0 and out.startswith(f"usage: python launch/{name}.py ")
    assert f"\n  python launch/{name}.py" in out and "\n  jaxspot " not in out


def test_a_mistake_in_the_flags_names_the_help(monkeypatch, capsys):
    code, _, error = call(monkeypatch, capsys, "spot", "--weights=x")
    line = "spot: the following arguments are required: VIDEO; see jaxspot spot --help\n"
    assert (code, error) == (2, line)


def test_prepare_ends_with_what_to_open(tmp_path, capsys):
    bank = tmp_path / "bank"
    assert prepare("csv", csv_tree(tmp_path / "source"), bank) == 0
    *_, check, last = capsys.readouterr().out.splitlines()
    assert check == f"check it: jaxspot doctor --bank={bank}" and last == f"open {bank}/videos.csv"


@pytest.mark.parametrize("flag", ["--out", "--workdir"])
def test_the_folder_of_a_run_has_one_name_and_an_old_one(flag):
    words = ["--config=synthetic:best", f"{flag}=here", "--config.training.epochs=3", "--resume"]
    config, flags = train.read_flags(words)
    assert (config.training.epochs, flags.out, flags.resume) == (3, "here", True)


@pytest.mark.parametrize("name", configs.NAMES)
def test_a_config_has_a_name_a_path_and_the_arguments_that_help_lists(name, monkeypatch, capsys):
    module = configs.config_module(name)
    path = ROOT / "configs" / f"{name}.py"
    assert configs.load_config(str(path)).to_json() == configs.load_config(name).to_json()
    needed = {"ablation": "benchmark,", "choices": "benchmark,"}
    for argument in module.ARGUMENTS:
        configs.load_config(f"{name}:{needed.get(argument, '')}{argument}")
    shown = call(monkeypatch, capsys, "train", "--help")[1]
    words = shown[shown.index(f"\n  {name} ") :].replace(",", " ").split()
    assert set(module.ARGUMENTS) <= set(words)
    header = call(monkeypatch, capsys, "train", f"--config={name}", "--help")[1]
    assert str(module.__doc__).splitlines()[-1] in header


def test_a_config_of_ones_own_starts_from_a_shipped_one(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "from jaxspot.configs import default\n\n\ndef get_config():\n"
        "    config = default.get_config('best')\n    config.seed = 7\n    return config\n"
    )
    assert configs.load_config(str(own)).seed == 7
    copy = shutil.copy(ROOT / "configs" / "synthetic.py", tmp_path / "copy.py")
    assert configs.load_config(f"{copy}:hard").data.synthetic.level == "hard"


@pytest.mark.parametrize("name", ["synthetik", "configs/nowhere.py", "configs", "__init__"])
def test_an_unknown_config_is_answered_by_those_there_are(name):
    with pytest.raises(UserError, match=f"no config '{name}'; take ablations, .*, thresholds, or"):
        configs.load_config(name)
