// What the page was given: times of the frames, curves, faces. Frames count from 1.
const told = JSON.parse(document.getElementById("review-data").textContent);
const MISSING = 255, STEPS = 254, MICRO = 1e6;
const KINDS = ["ME", "MaE"];
const LONGEST_ME = 0.5;
const N = told.frames;
const hasChances = told.kinds[0].least_chance !== null;

const bytes = text => Uint8Array.from(atob(text), mark => mark.charCodeAt(0));

// Start of each frame in microseconds; one more: the end of the last.
const stamps = (() => {
  const packed = bytes(told.steps).buffer;
  const steps = told.step_bytes === 2 ? new Uint16Array(packed) : new Float64Array(packed);
  const found = new Float64Array(N + 1);
  found[0] = told.first_us;
  for (let i = 1; i < N; i++) found[i] = found[i - 1] + steps[i - 1];
  found[N] = found[N - 1] + told.last_us;
  return found;
})();

const startOf = frame => stamps[frame - 1] / MICRO;
// A frame before a gap ends long before the next one starts.
const endStamp = frame => told.gaps[frame] ?? stamps[frame];
const endOf = frame => endStamp(frame) / MICRO;
const middleOf = frame => (startOf(frame) + endOf(frame)) / 2;
const FIRST = startOf(1), LAST = endOf(N);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The frame that is shown at a time in seconds.
function frameAt(time) {
  const stamp = Math.round(time * MICRO);
  let low = 0, high = N - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (stamps[middle] <= stamp) low = middle; else high = middle - 1;
  }
  return low + 1;
}

// The frames that start, or end, nearest to a time.
function nearestStart(time) {
  const frame = frameAt(time);
  return frame < N && startOf(frame + 1) - time < time - startOf(frame) ? frame + 1 : frame;
}
function nearestEnd(time) {
  const frame = frameAt(time);
  return frame > 1 && time - startOf(frame) < endOf(frame) - time ? frame - 1 : frame;
}

// Lowest and highest byte of 1, 4, 16 ... frames: any stretch is drawn in as many steps as pixels.
function pyramid(data) {
  const levels = [{size: 1, low: data, high: data}];
  for (let last = levels[0]; last.low.length > 256; last = levels.at(-1)) {
    const count = Math.ceil(last.low.length / 4);
    const low = new Uint8Array(count).fill(MISSING), high = new Uint8Array(count).fill(MISSING);
    for (let i = 0; i < last.low.length; i++) {
      if (last.low[i] === MISSING) continue;
      const c = i >> 2;
      if (low[c] === MISSING || last.low[i] < low[c]) low[c] = last.low[i];
      if (high[c] === MISSING || last.high[i] > high[c]) high[c] = last.high[i];
    }
    levels.push({size: last.size * 4, low, high});
  }
  return levels;
}

const curves = told.kinds.map(kind => ({
  ...kind,
  raw: pyramid(bytes(kind.raw)),
  smooth: kind.smooth ? pyramid(bytes(kind.smooth)) : null,
}));
const confidence = pyramid(bytes(told.confidence));

const valueOf = (kind, byte) => kind.low + byte * (kind.high - kind.low) / STEPS;

// Stretches of frames that show the same face; track -1: none.
const stretches = told.faces.map(([from, track], i) => ({
  from, track, to: i + 1 < told.faces.length ? told.faces[i + 1][0] - 1 : N,
}));
const gaps = stretches.filter(stretch => stretch.track < 0);

// The face that most frames of a stretch show.
function faceWithin(onset, offset) {
  const frames = new Map();
  for (const {from, to, track} of stretches) {
    const shared = Math.min(to, offset) - Math.max(from, onset) + 1;
    if (track >= 0 && shared > 0) frames.set(track, (frames.get(track) || 0) + shared);
  }
  const known = [...frames].sort((a, b) => b[1] - a[1]);
  return String(known.length ? known[0][0] : 0);
}
