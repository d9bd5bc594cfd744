"""Measures methods on real faces: known expressions warped into people's own clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxspot.commands.running import command, command_parser

EPILOG = """\
Expressions of the synthetic heads are warped into neutral stretches of the clips, at known times.
DIR then holds videos/, videos.csv and annotations.csv (as `prepare --dataset=csv` reads them),
strata.csv (person, stratum and take of each video), and the tables of every method: report.md,
scores.csv, controls.csv, causes.csv, false_alarms.csv and differences.csv.

A take is injected, or resampled (warped there and back: nothing should be found), or untouched (a
clip as it is: whatever is found counts as a false alarm, true expressions too).

FILE has a row for each stretch: clip (its name without ending), person, first, last (frames from 1)
and stratum (still, drift, speech or expressive). Without first and last, a row says whose a clip is
and what stratum it is as a whole. Neutral stretches of clips that FILE does not name are found.

The faces are those of real people: keep DIR to yourself.

examples:
  jaxspot check_faces --out=runs/faces --weights=demo=runs/demo --peers=mdmd clips
  jaxspot check_faces --out=runs/faces --found=mine=spotted
"""


@command
def main(argv: Sequence[str]) -> int:
    """Makes the benchmark where it is not there, runs the methods and prints their tables."""
    parser = command_parser("check_faces", __doc__, EPILOG)
    flag = parser.add_argument
    several: Any = dict(action="append", default=[], metavar="[NAME=]DIR")
    flag("--out", required=True, metavar="DIR", help="folder of the benchmark and its results")
    flag("--stretches", metavar="FILE", help="table of stretches, see below")
    flag(
        "--takes",
        type=int,
        default=2,
        help="injected videos per stretch (default: %(default)s)",
    )
    flag("--weights", **several, help="a run's folder or a file of weights; may be repeated")
    flag("--found", **several, help="what `jaxspot spot` wrote for all videos; may be repeated")
    flag("--peers", default="", metavar="PEER,...", help="peers on pictures; some are trained here")
    flag("--workers", type=int, metavar="N", help="processes; one a core by default")
    flag("clips", nargs="*", metavar="CLIP_OR_FOLDER", help="needed once, to make the benchmark")
    flags = parser.parse_args(argv)
    if flags.takes < 1:
        parser.error("--takes must be 1 or more")
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.experiment.baselines import refuse_peers
    from jaxspot.faces import benchmark as made
    from jaxspot.faces.found import read_found
    from jaxspot.faces.methods import benchmark_bank, spot_by_peer, spot_by_weights
    from jaxspot.faces.report import compare, write_report

    out, peers = Path(flags.out), [name for name in flags.peers.split(",") if name]
    refuse_peers(peers)
    if flags.clips and not (out / made.VIDEOS).is_file():
        options = dict(table=flags.stretches, takes=flags.takes, workers=flags.workers)
        benchmark = made.make_benchmark(out, flags.clips, **options)
    else:
        benchmark = made.read_benchmark(out)
    methods = {}
    for name, folder in map(_named, flags.weights):
        methods[name] = spot_by_weights(benchmark, folder, workers=flags.workers)
    for name, folder in map(_named, flags.found):
        methods[name] = read_found(folder, benchmark)
    if peers:
        bank = benchmark_bank(benchmark, workers=flags.workers)
        methods |= {name: spot_by_peer(bank, name) for name in peers}
    if methods:
        print(write_report(compare(benchmark, methods), out))
        print(f"open {out / 'report.md'}")
    else:
        counts = benchmark.videos["take"].value_counts()
        print(", ".join(f"{counts.get(take, 0)} {take}" for take in made.TAKES), f"in {out}")
    return 0


def _named(text: str) -> tuple[str, str]:
    """NAME=DIR, or DIR, which is then named as the folder."""
    name, equals, folder = text.partition("=")
    return (name, folder) if equals else (Path(text).resolve().name, text)
