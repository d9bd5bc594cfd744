"""Measures the review page of long videos: its size, when it is ready, frames a second when panned.

PYTHONPATH=. .venv/bin/python tests/measure_review.py
"""

import tempfile
from pathlib import Path

import numpy as np
from browser import Page
from made_reviews import CHANCES, THRESHOLDS, made_folder

from jaxspot.review.page import write_review

CASES = {
    "10 min at 30 fps": (600, 30, 120),
    "10 min at 200 fps": (600, 200, 120),
    "1 h at 30 fps": (3600, 30, 700),
}
PAN = """
(async zoomed => {
  const canvas = document.querySelector("canvas"), box = canvas.getBoundingClientRect();
  const turn = fields => canvas.dispatchEvent(new WheelEvent("wheel",
    {clientX: box.x + box.width / 2, clientY: box.y + 20, cancelable: true, ...fields}));
  if (zoomed) turn({deltaY: -1000});
  const picture = () => new Promise(requestAnimationFrame), gaps = [];
  await picture();
  const start = performance.now();
  let last = start;
  for (let n = 0; last - start < 3000; n++) {
    turn({deltaX: n % 100 < 50 ? 12 : -12});
    await picture();
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return [gaps.length, 1000 * gaps.length / (last - start)];
})"""


def main():
    """Prints a row for each case: the whole video in view, then a seventh of it."""
    print("| Video | Intervals | Size, kB | Ready, s | Panned, fps | CPU a frame, ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for decision in (CHANCES, THRESHOLDS):
        for name, (seconds, fps, count) in CASES.items():
            times = np.arange(seconds * fps) / fps
            starts = np.linspace(1, len(times) - fps, count).astype(int)
            found = [("ME", at, at + fps // 10, at + fps // 5, 0.5) for at in starts.tolist()]
            with tempfile.TemporaryDirectory() as root:
                root = Path(root)
                made = dict(decision=decision, times=times, found=found, video=False)
                path = write_review(made_folder(root, **made)[0])
                size = path.stat().st_size / 1000
                with Page(root) as page:
                    page.open(path, seconds=200)
                    page.send("Performance.enable", timeDomain="threadTicks")
                    ready = page.js("performance.getEntriesByType('navigation')[0].loadEventEnd")
                    rates = [pan(page, zoomed) for zoomed in ("false", "true")]
            cells = " / ".join(f"{rate:.0f}" for rate, _ in rates)
            cpu = " / ".join(f"{ms:.1f}" for _, ms in rates)
            kind = "chances" if decision is CHANCES else "thresholds"
            row = (f"{name}, {kind}", count, f"{size:.0f}", f"{ready / 1000:.2f}", cells, cpu)
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


def pan(page, zoomed):
    """Frames a second while panned for 3 s, and the CPU time of the page's thread a frame, ms."""
    busy = lambda: {
        metric["name"]: metric["value"] for metric in page.send("Performance.getMetrics")["metrics"]
    }["TaskDuration"]
    before = busy()
    frames, rate = page.js(f"{PAN}({zoomed})")
    return rate, 1000 * (busy() - before) / frames


if __name__ == "__main__":
    main()
