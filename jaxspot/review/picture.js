// The whole picture: panels of both kinds, strip of faces, axis, overview, the frame shown.
const SIZES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];

const clock = (time, digits) => {
  const minutes = Math.floor(time / 60);
  const seconds = (time - 60 * minutes).toFixed(digits);
  return LAST < 60 ? seconds : `${minutes}:${seconds.padStart(digits ? digits + 3 : 2, "0")}`;
};

function drawGaps(pen) {
  pen.fillStyle = GAP;
  for (const gap of gaps) {
    const left = Math.max(xOf(startOf(gap.from)), LEFT);
    const right = Math.min(xOf(endOf(gap.to)), width - RIGHT);
    if (right > left) pen.fillRect(left, TOP, Math.max(right - left, 1), STRIP_TOP + STRIP - TOP);
  }
}

function drawPanel(pen, kind, number) {
  const top = panelTop(number), lane = laneTop(number);
  pen.strokeStyle = RULE;
  pen.lineWidth = 1;
  for (const y of [top + CURVE, lane + LANE]) {
    pen.beginPath();
    pen.moveTo(LEFT, y - 0.5);
    pen.lineTo(width - RIGHT, y - 0.5);
    pen.stroke();
  }
  drawCurve(pen, kind.raw, kind, number, kind.smooth ? RAW : COLOURS[number], 1);
  if (kind.smooth) drawCurve(pen, kind.smooth, kind, number, COLOURS[number], 2);
  for (const row of rows) if (row.kind === kind.kind && row.id !== chosen) drawRow(pen, row);
  const row = current();
  if (row && row.kind === kind.kind) drawRow(pen, row);
  if (kind.threshold !== null) {
    const share = (kind.threshold - kind.low) / (kind.high - kind.low);
    const text = `threshold ${kind.threshold.toFixed(2)}`;
    const above = share > 1 ? ", above all of the curve" : "";
    level(pen, top + 4 + (CURVE - 6) * clamp(1 - share, 0, 1), text + above, INK);
  }
  if (hasChances) {
    const y = lane + LANE - 2 - (LANE - 6) * kind.least_chance;
    level(pen, y, `cut-off ${kind.least_chance.toFixed(2)}`, INK);
  }
}

function drawNames(pen) {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, LEFT - 1, HEIGHT);
  pen.fillRect(width - RIGHT + 1, 0, RIGHT, HEIGHT);
  for (const [number, kind] of KINDS.entries()) {
    pen.font = "bold " + FONT;
    label(pen, `${kind} score`, 4, panelTop(number) + 16, "left", COLOURS[number]);
    pen.font = FONT;
    const {low, high} = curves[number];
    label(pen, high.toFixed(2), LEFT - 6, panelTop(number) + 12, "right", SOFT);
    label(pen, low.toFixed(2), LEFT - 6, laneTop(number) - 4, "right", SOFT);
    label(pen, hasChances ? "chance" : "intervals", 4, laneTop(number) + 20, "left", INK);
    if (!hasChances) continue;
    label(pen, "1", LEFT - 6, laneTop(number) + 13, "right", SOFT);
    label(pen, "0", LEFT - 6, laneTop(number) + LANE - 2, "right", SOFT);
  }
  label(pen, "face found", 4, STRIP_TOP + 10, "left", INK);
  label(pen, "whole video", 4, OVERVIEW_TOP + 12, "left", INK);
  label(pen, LAST < 60 ? "time (s)" : "time (min:s)", 4, AXIS_TOP + 14, "left", INK);
}

function drawStrip(pen) {
  eachBucket(confidence, (x, low, high, first, end) => {
    const left = xOf(startOf(first)), right = xOf(endOf(end));
    pen.globalAlpha = 0.12 + 0.88 * low / STEPS;
    pen.fillStyle = low === 0 ? GAP : FACE;
    pen.fillRect(left, STRIP_TOP, right - left + 0.5, STRIP);
  });
  pen.globalAlpha = 1;
}

function drawAxis(pen) {
  const rough = (view.to - view.from) / Math.max(inner() / 90, 1);
  const size = SIZES.find(s => s >= rough) || SIZES.at(-1);
  pen.strokeStyle = SOFT;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let n = Math.ceil(view.from / size); n * size <= view.to; n++) {
    const x = xOf(n * size);
    pen.moveTo(x, AXIS_TOP - 2);
    pen.lineTo(x, AXIS_TOP + 3);
    label(pen, clock(n * size, size < 0.1 ? 2 : size < 1 ? 1 : 0), x, AXIS_TOP + 15, "center", SOFT);
    pen.strokeStyle = SOFT;
    pen.lineWidth = 1;
  }
  pen.stroke();
}

function drawOverview(pen) {
  pen.fillStyle = "#f0f2f5";
  pen.fillRect(LEFT, OVERVIEW_TOP, inner(), OVERVIEW);
  for (const row of rows) {
    const number = KINDS.indexOf(row.kind), x = overviewX(startOf(row.onset));
    pen.fillStyle = row.verdict === "rejected" ? RAW : COLOURS[number];
    const wide = Math.max(overviewX(endOf(row.offset)) - x, 2);
    pen.fillRect(x, OVERVIEW_TOP + 2 + number * 6, wide, 5);
  }
  const left = overviewX(view.from), right = overviewX(view.to);
  pen.strokeStyle = INK;
  pen.lineWidth = 1.5;
  pen.strokeRect(left, OVERVIEW_TOP + 0.5, Math.max(right - left, 3), OVERVIEW - 1);
  pen.fillStyle = INK;
  pen.fillRect(overviewX(startOf(frame)) - 0.5, OVERVIEW_TOP, 1.5, OVERVIEW);
}

function drawFrameLine(pen) {
  const left = xOf(startOf(frame)), right = xOf(endOf(frame));
  if (right < LEFT || left > width - RIGHT) return;
  pen.fillStyle = INK;
  pen.globalAlpha = 0.18;
  pen.fillRect(left, TOP, Math.max(right - left, 1), STRIP_TOP + STRIP - TOP);
  pen.globalAlpha = 1;
  pen.fillRect(left - 0.5, TOP, 1.5, STRIP_TOP + STRIP - TOP);
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  width = canvas.clientWidth;
  const wide = Math.round(width * ratio), high = Math.round(HEIGHT * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = FONT;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, HEIGHT);
  drawGaps(pen);
  drawStrip(pen);
  curves.forEach((kind, number) => drawPanel(pen, kind, number));
  drawFrameLine(pen);
  drawNames(pen);
  drawAxis(pen);
  drawOverview(pen);
}
