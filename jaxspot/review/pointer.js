// The mouse or finger on the canvas: choose, seek, drag the ends, pan, zoom, add.
const REACH = 6; // pixels
const STILL = 3; // pixels that a click may move

let grip = null;

const at = event => {
  const box = canvas.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
};
const kindAt = y => KINDS.findIndex((_, k) => panelTop(k) <= y && y < panelTop(k) + CURVE + LANE);

// Which end of the chosen interval lies here; if both do, the one on the pointer's side.
function endAt({x, y}) {
  const row = current();
  if (!row) return null;
  const {number, left, right} = boxOf(row);
  if (number !== kindAt(y)) return null;
  const end = x < (left + right) / 2 ? "onset" : "offset";
  return Math.abs(x - (end === "onset" ? left : right)) <= REACH ? end : null;
}

// The shortest interval here: a longer one leaves it free elsewhere.
function rowAt({x, y}) {
  const number = kindAt(y);
  const here = rows.filter(row => {
    const {left, right, number: own} = boxOf(row);
    const more = Math.max(0, 8 - (right - left)) / 2;
    return own === number && left - more <= x && x <= right + more;
  });
  return here.sort((a, b) => lengthOf(a) - lengthOf(b))[0] || null;
}

const onOverview = ({y}) => y >= OVERVIEW_TOP - 2;
function moveOverview({x}) {
  const middle = FIRST + clamp((x - LEFT) / inner(), 0, 1) * (LAST - FIRST);
  const half = (view.to - view.from) / 2;
  setView(middle - half, middle + half);
}

canvas.addEventListener("pointerdown", event => {
  if (event.button) return;
  const place = at(event), end = endAt(place);
  try { canvas.setPointerCapture(event.pointerId); } catch (error) { /* a pointer of a script */ }
  grip = {start: place, view, before: rows, moved: false};
  if (onOverview(place)) {
    grip.what = "overview";
    moveOverview(place);
  } else if (event.shiftKey && kindAt(place.y) >= 0) {
    Object.assign(grip, {what: "add", kind: KINDS[kindAt(place.y)], from: timeAt(place.x)});
  } else if (end) {
    grip.what = end;
    pause();
  } else {
    grip.what = "pan";
  }
});

canvas.addEventListener("pointermove", event => {
  const place = at(event);
  if (!grip) {
    canvas.style.cursor = endAt(place) ? "ew-resize" : rowAt(place) ? "pointer" : "crosshair";
    return;
  }
  if (Math.abs(place.x - grip.start.x) > STILL) grip.moved = true;
  if (!grip.moved) return;
  if (grip.what === "overview") moveOverview(place);
  if (grip.what === "pan") {
    const by = (grip.start.x - place.x) / inner() * (grip.view.to - grip.view.from);
    setView(grip.view.from + by, grip.view.to + by);
  }
  if (grip.what === "onset" || grip.what === "offset") drag(place);
  if (grip.what === "add") {
    grip.to = timeAt(place.x);
    seek(frameAt(grip.to));
  }
});

function drag({x}) {
  const row = grip.before.find(one => one.id === chosen);
  const to = grip.what === "onset" ? nearestStart(timeAt(x)) : nearestEnd(timeAt(x));
  const fields = moved(row, grip.what, to);
  rows = changed(grip.before, row.id, fields);
  seek(fields[grip.what]);
}

function release(event) {
  if (!grip) return;
  const {what, moved: far, start, before} = grip;
  if (what === "onset" || what === "offset") {
    const after = rows;
    rows = before;
    const row = current(), next = after.find(one => one.id === chosen);
    if (event.type === "pointerup" && row && next !== row) edit(next);
  } else if (what === "add" && far && grip.to !== undefined) {
    const [from, to] = [grip.from, grip.to].sort((a, b) => a - b);
    const onset = nearestStart(from);
    add(grip.kind, onset, Math.max(nearestEnd(to), onset));
  } else if (what === "pan" && !far && event.type === "pointerup") {
    const row = rowAt(start), to = frameAt(timeAt(start.x));
    if (row) choose(row.id);
    else { pause(); seek(to); }
  }
  grip = null;
  refresh();
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);

canvas.addEventListener("wheel", event => {
  event.preventDefault();
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (sideways || event.shiftKey) pan((sideways ? event.deltaX : event.deltaY) / inner());
  else zoom(Math.exp(event.deltaY * 0.002), timeAt(at(event).x));
}, {passive: false});
