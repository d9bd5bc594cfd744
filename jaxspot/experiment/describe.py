"""What titles and notes of tables say of a run's rules."""

from jaxspot.spotting.rule import Protocol

BOUNDS_NOTE = (
    "In brackets: 95 % interval over 2,000 bootstrap draws of subjects; too narrow when subjects"
    " are few."
)
PAIRED_NOTE = (
    "In brackets: 95 % interval over 2,000 bootstrap draws of subjects, the same draws for both"
    " methods."
)
RANDOM_NOTE = (
    "random: intervals placed uniformly, as many and as long as ours in each video and kind; mean"
    " of 100 draws."
)
NOTES = {
    2: "k: half the mean duration of all intervals. Each fold computes its own k without the"
    " subject that it holds out.",
    4: "",
    5: f"{BOUNDS_NOTE} {RANDOM_NOTE}",
    6: f"{BOUNDS_NOTE} {RANDOM_NOTE}",
    7: BOUNDS_NOTE,
}


def describe_protocol(protocol: Protocol, table: int) -> str:
    """The protocol of Tables 4 to 7 in a few words: frames (4) are always cut by the ROC."""
    seen = {
        "inner": "other subjects' held-out scores",
        "training": "training subjects",
        "validation": "validation subjects",
    }[protocol.fit]
    threshold = {
        "roc": f"threshold by ROC of {seen}",
        "interval_f1": f"threshold by interval F1 of {seen}",
        "overall_f1": f"thresholds by overall interval F1 of {seen}",
        "test_oracle": "threshold by ROC of the test subject",
    }
    skip = {
        "kth": "k-th frame skip",
        "manual": "frame skip searched on validation subjects",
        "test_oracle": "frame skip searched on the test subject",
    }
    skipped = skip[protocol.frame_skip]
    if table == 4:
        oracle = protocol.threshold == "test_oracle"
        return f"LOSO, {skipped}, {threshold['test_oracle' if oracle else 'roc']}"
    rule = f"LOSO, {protocol.matching}, IoU {protocol.iou:g}"
    if table == 6:
        return f"{rule}, {skipped}"
    peaks = f"around peaks, above {protocol.peak_share:g} of their height"
    # The rows of Table 7 may differ in their frame skip.
    parts = [rule] + [skipped] * (table == 5) + [threshold[protocol.threshold]]
    return ", ".join(parts + [peaks] * (protocol.peak_share > 0))


def kept_weights(patience: int) -> str:
    """Which epoch's weights a fold keeps, see `Training`."""
    return f"the weights of the {'lowest validation loss' if patience else 'last epoch'}"


def oracle_of(protocol: Protocol, table: int) -> str:
    """What of Tables 4 to 7 saw test data, for titles; empty if nothing did."""
    rules = {"the threshold": protocol.threshold, "the frame skip": protocol.frame_skip}
    if table == 6:  # no threshold is learned by the Manual IoU Method
        del rules["the threshold"]
    return " and ".join(what for what, rule in rules.items() if rule == "test_oracle")
