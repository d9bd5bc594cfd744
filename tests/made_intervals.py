"""A table of intervals of two faces that overlap, touch and have no score."""

ROWS = [
    ("ME", 0, 3, 9, 0.25),
    ("MaE", 0, 20, 70, 0.5),
    ("MaE", 0, 60, 90, 0.45),
    ("MaE", 0, 91, 95, None),
    ("ME", 1, 8, 12, 0.2),
]
HEADER = "subject,video,face,kind,onset,apex,offset,score,rank,onset_s,apex_s,offset_s"


def write_intervals(path, *, seconds=True, verdicts=None, video="talk"):
    lines = [HEADER + (",verdict" if verdicts else "")]
    for at, (kind, face, on, off, score) in enumerate(ROWS):
        apex = (on + off) // 2
        ends = [f"{t / 30:.6f}" for t in (on - 1, apex - 1, off)] if seconds else [""] * 3
        cells = ["", video, face, kind, on, apex, off, "" if score is None else score, "", *ends]
        cells += [verdicts[at]] if verdicts else []
        lines.append(",".join(map(str, cells)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path
