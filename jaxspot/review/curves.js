// Draws the curves, intervals, faces and the axis of time on one canvas.
const canvas = document.querySelector("canvas");
const styles = getComputedStyle(document.documentElement);
const colour = name => styles.getPropertyValue("--" + name).trim();
const COLOURS = [colour("me"), colour("mae")], PALE = [colour("me-pale"), colour("mae-pale")];
const [INK, SOFT, RULE, RAW, GAP, FACE] =
  ["ink", "soft", "line", "curve", "gap", "face"].map(colour);
const LEFT = 122, RIGHT = 14, TOP = 6;
const CURVE = window.innerHeight < 900 ? 48 : 92, LANE = 34;
const SPACE = 8, STRIP = 12, AXIS = 22, OVERVIEW = 16;
const PANEL = CURVE + LANE + SPACE;
const STRIP_TOP = TOP + 2 * PANEL;
const AXIS_TOP = STRIP_TOP + STRIP + 4;
const OVERVIEW_TOP = AXIS_TOP + AXIS;
const HEIGHT = OVERVIEW_TOP + OVERVIEW + 4;
const FONT = '12px system-ui, "Segoe UI", Roboto, Arial, sans-serif';

let view = {from: FIRST, to: LAST}, planned = false, width = 0;
const panelTop = kind => TOP + kind * PANEL;
const laneTop = kind => panelTop(kind) + CURVE;
const inner = () => Math.max(width - LEFT - RIGHT, 1);
const xOf = time => LEFT + (time - view.from) / (view.to - view.from) * inner();
const timeAt = x => view.from + (x - LEFT) / inner() * (view.to - view.from);
const overviewX = time => LEFT + (time - FIRST) / (LAST - FIRST) * inner();
const shortest = () => Math.min(LAST - FIRST, 12 * told.last_us / MICRO);

function setView(from, to) {
  const span = clamp(to - from, shortest(), LAST - FIRST);
  const start = clamp((from + to - span) / 2, FIRST, LAST - span);
  view = {from: start, to: start + span};
  plan();
}
const pan = share => {
  const by = share * (view.to - view.from);
  setView(view.from + by, view.to + by);
};
function zoom(factor, about = clamp(startOf(frame), view.from, view.to)) {
  const span = clamp((view.to - view.from) * factor, shortest(), LAST - FIRST);
  const from = about - (about - view.from) / (view.to - view.from) * span;
  setView(from, from + span);
}

// Shows an interval; wide enough that its ends can be taken hold of.
function reveal(row) {
  const from = startOf(row.onset), to = endOf(row.offset), length = to - from;
  const span = clamp(view.to - view.from, 1.5 * length, Math.max(6 * length, 4));
  const tooWide = view.to - view.from > span * 1.01 && length / (view.to - view.from) < 0.05;
  const inside = view.from <= from && to <= view.to;
  if (!inside || tooWide) setView((from + to - span) / 2, (from + to + span) / 2);
}

// Follows the frame shown, but leaves a view that the person moved away from it.
let followed = frame;
function keepInView() {
  if (followed === frame) return;
  followed = frame;
  const at = startOf(frame), span = view.to - view.from;
  if (at < view.from || at > view.to) setView(at - span / 4, at + span * 3 / 4);
}

function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => { planned = false; draw(); });
}

// Calls back with (x, low, high) for each bucket of frames in view; MISSING ones too.
function eachBucket(levels, call) {
  const from = Math.max(frameAt(view.from) - 1, 1), to = Math.min(frameAt(view.to) + 1, N);
  const level = levels.findLast(l => l.size <= Math.max((to - from) / inner(), 1)) || levels[0];
  const last = Math.floor((to - 1) / level.size);
  for (let c = Math.floor((from - 1) / level.size); c <= last; c++) {
    const first = c * level.size + 1, end = Math.min(first + level.size - 1, N);
    call(xOf((startOf(first) + endOf(end)) / 2), level.low[c], level.high[c], first, end);
  }
}

function drawCurve(pen, levels, kind, number, stroke, thick) {
  const top = panelTop(number) + 4, high = CURVE - 6;
  const y = byte => top + high * (1 - byte / STEPS);
  pen.strokeStyle = stroke;
  pen.lineWidth = thick;
  pen.lineJoin = "bevel"; // the others take several times as long
  pen.beginPath();
  let begun = false, last = 0;
  eachBucket(levels, (x, low, highest) => {
    if (low === MISSING) { begun = false; return; }
    const ends = [y(low), y(highest)];
    // The nearer end first, or a slope would look like a saw.
    if (begun && Math.abs(ends[1] - last) < Math.abs(ends[0] - last)) ends.reverse();
    if (begun) pen.lineTo(x, ends[0]); else pen.moveTo(x, ends[0]);
    last = ends[1];
    pen.lineTo(x, ends[0] === last ? last + 0.01 : last);
    begun = true;
  });
  pen.stroke();
}

function level(pen, y, text, stroke, pattern = [6, 4]) {
  pen.strokeStyle = stroke;
  pen.lineWidth = 1.5;
  pen.setLineDash(pattern);
  pen.beginPath();
  pen.moveTo(LEFT, y);
  pen.lineTo(width - RIGHT, y);
  pen.stroke();
  pen.setLineDash([]);
  label(pen, text, width - RIGHT - 4, y - 3, "right", stroke);
}

// Text on a light ground, so that curves behind it do not hide it.
function label(pen, text, x, y, align = "left", fill = INK) {
  pen.textAlign = align;
  pen.lineWidth = 3;
  pen.strokeStyle = "#fff";
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillStyle = fill;
  pen.fillText(text, x, y);
}

// Where an interval's box is in its lane: with chances, the higher the surer.
function boxOf(row) {
  const number = KINDS.indexOf(row.kind);
  const left = xOf(startOf(row.onset)), right = Math.max(xOf(endOf(row.offset)), left + 3);
  const full = LANE - 6, bottom = laneTop(number) + LANE - 2;
  const high = hasChances && row.score !== "" ? Math.max(full * Number(row.score), 5) : full;
  return {number, left, right, top: bottom - high, bottom};
}

function drawRow(pen, row) {
  const {number, left, right, top, bottom} = boxOf(row);
  if (right < LEFT || left > width - RIGHT) return;
  const selected = row.id === chosen, rejected = row.verdict === "rejected";
  if (!rejected || selected) {
    pen.globalAlpha = selected ? 0.55 : 0.3;
    pen.fillStyle = PALE[number];
    pen.fillRect(left, panelTop(number), right - left, CURVE + LANE);
    pen.globalAlpha = 1;
  }
  pen.fillStyle = row.verdict === "accepted" ? COLOURS[number] : rejected ? "#fff" : PALE[number];
  pen.fillRect(left, top, right - left, bottom - top);
  pen.strokeStyle = rejected ? SOFT : COLOURS[number];
  pen.lineWidth = 1.5;
  pen.setLineDash(rejected ? [3, 2] : []);
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([]);
  if (right - left > 16 && row.verdict !== "open") {
    pen.textAlign = "center";
    pen.fillStyle = rejected ? SOFT : "#fff";
    pen.fillText(rejected ? "\u2715" : "\u2713", (left + right) / 2, bottom - 3);
  }
  if (selected) drawHandles(pen, row, number, left, right);
}

function drawHandles(pen, row, number, left, right) {
  const top = panelTop(number), bottom = top + CURVE + LANE;
  pen.strokeStyle = pen.fillStyle = INK;
  pen.lineWidth = 2;
  for (const x of [left, right]) {
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.fillRect(x - 4, top + CURVE / 2 - 9, 8, 18);
  }
  pen.lineWidth = 1;
  pen.setLineDash([2, 3]);
  pen.beginPath();
  pen.moveTo(xOf(middleOf(row.apex)), top);
  pen.lineTo(xOf(middleOf(row.apex)), bottom);
  pen.stroke();
  pen.setLineDash([]);
}
