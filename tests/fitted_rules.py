"""A fitted rule with values of its own in every field."""

from jaxspot.spotting.automated_iou import FittedRule, IntervalRule


def fitted(threshold):
    rule = IntervalRule(
        normalisation="train_quantiles",
        cutoff_hz=(2.5, float("inf")),
        min_seconds=(0.1, 0.5),
    )
    return FittedRule(
        rule=rule,
        low=(0.1, 0.2),
        high=(0.8, 0.9),
        threshold=(threshold, 1 / 3),
        frame_threshold=(0.4, 0.6),
    )
