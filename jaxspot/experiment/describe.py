"""What the titles of tables say of a run's rules."""

from jaxspot.experiment.settings import Settings


def describe_protocol(settings: Settings, table: int) -> str:
    """The protocol of Tables 4 to 7 in a few words: frames (4) are always cut by the ROC."""
    threshold = {
        "roc": "threshold by ROC of training subjects",
        "interval_f1": "threshold by interval F1 of training subjects",
        "test_oracle": "threshold by ROC of the test subject",
    }
    skip = {
        "kth": "k-th frame skip",
        "manual": "frame skip searched on validation subjects",
        "test_oracle": "frame skip searched on the test subject",
    }
    protocol = settings.protocol
    skipped = skip[protocol.frame_skip]
    if table == 4:
        oracle = protocol.threshold == "test_oracle"
        return f"LOSO, {skipped}, {threshold['test_oracle' if oracle else 'roc']}"
    rule = f"LOSO, {protocol.matching}, IoU {protocol.iou:g}"
    if table == 6:
        return f"{rule}, {skipped}"
    # The rows of Table 7 may differ in their frame skip.
    parts = [rule] + [skipped] * (table == 5) + [threshold[protocol.threshold]]
    return ", ".join(parts)


def oracle_of(settings: Settings, table: int) -> str:
    """What of Tables 4 to 7 saw test data, for titles; empty if nothing did."""
    protocol = settings.protocol
    rules = {"the threshold": protocol.threshold, "the frame skip": protocol.frame_skip}
    if table == 6:  # no threshold is learned by the Manual IoU Method
        del rules["the threshold"]
    return " and ".join(what for what, rule in rules.items() if rule == "test_oracle")
