"""What decided which intervals of a video were reported; kept beside them as spotted.json."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxspot.datasets.spot_runs import DECISION
from jaxspot.errors import UserError
from jaxspot.files import write_text
from jaxspot.spotting.automated_iou import FittedRule, Pair


@dataclass(frozen=True)
class Decision:
    """How a spotter chose the intervals of a video; pairs are (ME, MaE).

    Attributes:
      least_chance: the least chance of an interval, 0..1, if intervals have chances.
      rule: the rule with its thresholds, if intervals have none.
      per_minute: how many intervals of each kind a minute were kept at most; None: all.
    """

    least_chance: Pair | None = None
    rule: FittedRule | None = None
    per_minute: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values."""
        rule = self.rule and self.rule.to_json()
        return dict(least_chance=self.least_chance, rule=rule, per_minute=self.per_minute)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Decision":
        """The inverse of `to_json`."""
        least = values.get("least_chance")
        rule = values.get("rule")
        return cls(
            least_chance=least and (float(least[0]), float(least[1])),
            rule=rule and FittedRule.from_json(rule),
            per_minute=values.get("per_minute"),
        )


def write_decision(
    folder: str | Path, decision: Decision, video: str | Path, *, place: str | Path | None = None
) -> None:
    """Writes FOLDER/spotted.json: the decision and where the video is, see `video_address`.

    `place` is where the folder will be at last, by default where it is.
    """
    values = decision.to_json() | dict(video=video_address(video, place or folder))
    write_text(Path(folder) / DECISION, json.dumps(values, indent=1) + "\n")


def read_decision(folder: str | Path) -> tuple[Decision, str]:
    """The decision and the address of the video; Decision() and "" where no file tells.

    UserError: the file is not as `write_decision` wrote it.
    """
    path = Path(folder) / DECISION
    if not path.is_file():
        return Decision(), ""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Decision.from_json(values), str(values.get("video", ""))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: cannot be used ({error}); spot the video again") from None


def video_address(video: str | Path, folder: str | Path) -> str:
    """The video's path relative to a folder, with forward slashes.

    It is never absolute: a file must not tell where on a machine it was made. It is the bare file
    name if they have only the root or the folder of all homes in common: such a
    path would tell the names of the machine's folders.
    """
    video, folder = Path(video).absolute(), Path(folder).absolute()
    try:
        common = Path(os.path.commonpath([video, folder]))
    except ValueError:  # two drives
        return video.name
    if common in (Path(common.anchor), Path.home().parent):
        return video.name
    return Path(os.path.relpath(video, folder)).as_posix()
