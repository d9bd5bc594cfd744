"""What a spotter's fold has decided, made up."""

from jaxspot.spotting.rule import Decision, Protocol


def decision(threshold):
    protocol = Protocol(
        threshold="interval_f1",
        normalisation="train_quantiles",
        cutoff_hz=(2.5, float("inf")),
        merge_seconds=(0.1, 0.5),
    )
    return Decision(
        protocol=protocol,
        low=(0.1, 0.2),
        high=(0.8, 0.9),
        threshold=(threshold, 1 / 3),
        frame_threshold=(0.4, 0.6),
    )
