"""Settings and flags, folders that cannot be written, and weights that are not there."""

import shutil

from input_case import Case
from made_intervals import write_intervals
from video_files import encode, noise

TRAIN = "train --config=default:best --config.data.bank=bank --out=run"
SEED = r"seed must be 0 or more and at most 4.29"


def setting(what, words, says, **more):
    return Case(what, f"{TRAIN} {words}", says=says, needs=("bank",), **more)


def weights(change):
    """A short video, and weights that were changed."""

    def make(here):
        encode(here / "v.mp4", noise(6))
        change(here / "weights")

    return make


def spoiled(what, says, change):
    return Case(what, "spot --weights=weights v.mp4", weights(change), says, needs=("weights",))


def removed(name):
    return lambda run: next(run.rglob(name)).unlink()


def altered(run):
    path = next(run.rglob("spotter.json"))
    path.write_text(path.read_text().replace("0.5", "0.4"))


def taken(here):
    (here / "run").mkdir()
    (here / "run" / "config.json").write_text("mine")


def a_file(here):
    (here / "file").write_text("mine")


SETTINGS = [
    setting("a setting that does not exist", "--config.training.epoch=3", "train: .*'epoch'",
            varies=True),
    setting("a setting of a section that does not exist", "--config.trainin.epochs=3",
            "train: .*'trainin'", varies=True),
    Case("a config's argument with a slip", TRAIN.replace(":best", ":bset"), says="paper, best",
         needs=("bank",)),
    Case("a config that does not exist", TRAIN.replace("default:best", "defualt"),
         says="no config 'defualt'; take ablations", needs=("bank",)),
    setting("epochs `many`", "--config.training.epochs=many",
            "train: flag --config.training.epochs=many: ", varies=True),
    setting("a seed of 20 digits", "--config.seed=99999999999999999999", SEED),
    setting("a seed of 20 digits among seeds", "'--config.seeds=(0, 99999999999999999999)'", SEED),
    setting("a seed `a`", """'--config.seeds=("a",)'""",
            "seeds must be whole numbers such as .0,1,2., not 'a'"),
    setting("a negative learning rate", "--config.training.learning_rate=-1", "learning_rate must"),
    Case("a flag cut short", "spot --weight=x v.mp4", says="weight"),
    Case("a rate of 0", "spot --fps=0 v.mp4", says="--fps: must be a number above 0, not '0'"),
    Case("one threshold", "spot --threshold=1 v.mp4",
         says="--threshold: must be two numbers such as 0.4,0.3, not '1'"),
    Case("a threshold of letters", "spot --threshold=a,b v.mp4",
         says="--threshold: must be two numbers"),
    Case("no worker", "spot --workers=0 v.mp4", says="--workers: must be a whole number"),
    Case("a data set that does not exist", "prepare --dataset=casme --source=in --out=bank",
         says="prepare: argument --dataset: invalid choice: 'casme'", varies=True),
]  # fmt: skip
PLACES = [
    Case("the folder of another run", TRAIN, taken, "another run", needs=("bank",)),
    Case("a run in a file", TRAIN.replace("run", "file"), a_file, "file", needs=("bank",)),
    Case("a run under a file", TRAIN.replace("run", "file/below"), a_file, "file", needs=("bank",)),
    Case("a run where nothing can be written", TRAIN.replace("=run", "=/sys/jaxspot"),
         says="train: /sys/jaxspot: ", needs=("bank",), varies=True),
    Case("results of `spot` in a file", "spot --weights=weights --out=file v.mp4",
         lambda here: (a_file(here), encode(here / "v.mp4", noise(6))),
         "file: is a file", needs=("weights",)),
    Case("results of `spot` where nothing can be written",
         "spot --weights=weights --out=/sys/jaxspot v.mp4",
         lambda here: encode(here / "v.mp4", noise(6)), "spot: /sys.*?: ",
         needs=("weights",), varies=True),
]  # fmt: skip
WEIGHTS = [
    spoiled("no weights", "no trained spotter", shutil.rmtree),
    spoiled("an empty folder of weights", "no trained spotter",
            lambda run: (shutil.rmtree(run), run.mkdir())),
    spoiled("weights without settings", "no trained spotter", removed("spotter.json")),
    spoiled("weights without hashes", "weights: ", removed("manifest.json")),
    spoiled("weights without a file", "missing files or altered", removed("_METADATA")),
    spoiled("altered thresholds", "altered", altered),
    Case("weights that are not there in `score`", "score --weights=none --bank=bank --out=out",
         says="none", needs=("bank",)),
    Case("weights that are not there in `live`", "live --file=v.mp4 --weights=none --fast",
         lambda here: encode(here / "v.mp4", noise(6)), "none"),
    Case("a camera and a file", "live --file=v.mp4 --camera=0",
         says="--camera and --file do not go together"),
]  # fmt: skip
OTHERS = [
    Case("a folder that `spot` did not write", "review talk", says="talk"),
    Case("a run whose settings cannot be read", "tables --out=out run", taken, "run"),
    Case("two formats, one unknown", "export i.csv --to=elan,borys",
         lambda here: write_intervals(here / "i.csv"), "Did you mean 'boris'"),
    Case("a bank for fine-tuning that is not there",
         "build_weights --config=reviewed --config.data.bank=none --out=o.npz --workdir=w",
         says="none: no frame bank"),
    Case("weights that would be written over those they start from",
         "build_weights --config=reviewed --config.start=o.npz --out=o.npz --workdir=w",
         says="o.npz: is the file of --config.start"),
]  # fmt: skip
CASES = [*SETTINGS, *PLACES, *WEIGHTS, *OTHERS]
