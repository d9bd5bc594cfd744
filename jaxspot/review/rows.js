// The intervals as the person changed them: one list, replaced as a whole, so that undo is simple.
const KEY = `jaxspot-review:${told.name}:${told.hash}`;
const VERDICTS = ["open", "accepted", "rejected"];

let rows = told.rows.map((row, id) => ({...row, id, verdict: "open"}));
let chosen = null;
let past = [], future = [], kept = true;
const watchers = [];

const find = id => rows.find(row => row.id === id) || null;
const current = () => find(chosen);
const lengthOf = row => endOf(row.offset) - startOf(row.onset);
const isAdded = row => row.id >= told.rows.length;
const refresh = () => watchers.forEach(watcher => watcher());

function isRow(row) {
  const frames = [1, row.onset, row.apex, row.offset, N];
  const texts = [row.subject, row.face, row.score, row.rank];
  return frames.every(Number.isInteger) && frames.every((f, i) => !i || frames[i - 1] <= f) &&
    texts.every(text => typeof text === "string") && Number.isInteger(row.id) &&
    KINDS.includes(row.kind) && VERDICTS.includes(row.verdict);
}

function restore() {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY));
    if (saved && Array.isArray(saved.rows) && saved.rows.every(isRow)) {
      ({rows, chosen} = saved);
      return saved.rows.length > 0;
    }
  } catch (error) {
    kept = false;
  }
  return false;
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify({rows, chosen}));
    kept = true;
  } catch (error) {
    kept = false;
  }
}

// Takes the next list; `before` is what undo goes back to (a drag shows many lists, but is one).
function take(next, before = rows, pick = chosen) {
  past.push({rows: before, chosen});
  future = [];
  rows = next;
  chosen = pick;
  keep();
  refresh();
}

function step(from, to) {
  if (!from.length) return false;
  to.push({rows, chosen});
  ({rows, chosen} = from.pop());
  keep();
  refresh();
  return true;
}
const undo = () => step(past, future);
const redo = () => step(future, past);

const changed = (list, id, fields) => list.map(row => row.id === id ? {...row, ...fields} : row);

function edit(fields) {
  const row = current();
  if (!row || Object.entries(fields).every(([name, value]) => row[name] === value)) return false;
  take(changed(rows, row.id, fields));
  return true;
}

// Onset <= apex <= offset, whichever of them moves.
function moved(row, end, frame) {
  const to = {
    onset: clamp(frame, 1, row.offset),
    apex: clamp(frame, row.onset, row.offset),
    offset: clamp(frame, row.onset, N),
  }[end];
  const next = {...row, [end]: to};
  return {onset: next.onset, offset: next.offset, apex: clamp(next.apex, next.onset, next.offset)};
}

function add(kind, onset, offset, face = faceWithin(onset, offset)) {
  const id = Math.max(told.rows.length - 1, ...rows.map(row => row.id)) + 1;
  const apex = Math.floor((onset + offset) / 2);
  const fresh = {id, subject: told.subject, face, kind, onset, apex, offset, score: "", rank: ""};
  take([...rows, {...fresh, verdict: "accepted"}], rows, id);
}

function remove() {
  const row = current();
  if (!row || !isAdded(row)) return false;
  take(rows.filter(other => other.id !== row.id), rows, null);
  return true;
}

const byTime = (a, b) =>
  a.onset - b.onset || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.id - b.id;
const byScore = (a, b) => (+a.rank || Infinity) - (+b.rank || Infinity) || byTime(a, b);
