"""The evaluation protocol: how a rule is fitted, and how its intervals are scored."""

from dataclasses import dataclass
from typing import Any, Literal

from jaxspot.errors import check_fields, check_numbers
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.training.inner_folds import Fit


@dataclass(frozen=True)
class Protocol:
    """How thresholds are fitted and intervals are scored; the defaults use no test labels.

    Otherwise the defaults are the paper's method.

    Attributes:
      matching: "one_to_one" or "megc2020", see `match_intervals`.
      iou: the least IoU of a match (paper equation 3: 0.5).
      threshold: "roc": Youden's J of single frames; "interval_f1": the best interval F1 of each
        kind; "overall_f1": the best F1 over both kinds, whose thresholds are chosen together;
        "test_oracle": Youden's J of the *test* subject's own frames, as in the paper; it uses
        test labels.
      quantiles: if `IntervalRule.normalisation` is "train_quantiles", these two quantiles of the
        scores that are used for fitting become 0 and 1.
      fit: the subjects whose scores are used to fit quantiles and thresholds, see `plan_networks`.
        "inner": all other subjects, each scored by a network that was not trained on it;
        "training": the fold's own subjects, scored by its own network, which has learned the
        labels of most of them; "validation": the fold's validation subjects. The held-out subject
        is never one of them.
      inner_groups: number of groups that the subjects are divided into for "inner"; each inner
        fold leaves out two groups.
      frame_skip: "kth": k (paper section 3.3) of the fold's own subjects, training and validation
        (the paper takes the whole data set); "manual": searched around k on the validation
        subjects; "test_oracle": searched on the *test* subject, like the paper's manual frame skip;
        it uses test labels.
      cycles: number of periods of the Butterworth cut-off frequency in the mean duration of an
        expression, see `cutoff_from_k`.
      mean_lengths: above 0: intervals of ME and MaE are this many mean durations (of the training
        subjects) long, around a peak.

    Raises:
      ValueError: a setting is not valid, or two settings exclude each other.
    """

    matching: MatchingRule = "one_to_one"
    iou: float = 0.5
    threshold: Literal["roc", "interval_f1", "overall_f1", "test_oracle"] = "roc"
    quantiles: tuple[float, float] = (0.01, 0.99)
    fit: Fit = "training"
    inner_groups: int = 8
    frame_skip: Literal["kth", "manual", "test_oracle"] = "kth"
    cycles: float = 1.0
    mean_lengths: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self):
        check_fields(self)
        check_numbers(self, "iou", above=0, most=1)
        check_numbers(self, "quantiles", least=0, most=1)
        check_numbers(self, "cycles", above=0)
        check_numbers(self, "mean_lengths", least=0)
        if self.quantiles[0] >= self.quantiles[1]:
            raise ValueError(f"quantiles must have the lower first, not {self.quantiles}")
        if self.fit == "inner" and self.frame_skip == "test_oracle":
            raise ValueError(
                "frame_skip='test_oracle' looks at test labels, fit='inner' keeps them out; take"
                " fit='training' with it"
            )

    @property
    def scoring(self) -> dict[str, Any]:
        """Matching rule and IoU as arguments of `score_intervals`."""
        return dict(matching=self.matching, iou=self.iou)

    @property
    def needs_validation(self) -> bool:
        """Whether each fold must keep some subjects for validation."""
        return self.fit == "validation" or self.frame_skip == "manual"

    @property
    def oracle(self) -> bool:
        """Whether anything is chosen on test data: tables must say so."""
        return "test_oracle" in (self.threshold, self.frame_skip)
