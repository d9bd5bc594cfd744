// Keys and buttons, and the start.
const help = document.getElementById("help");

function decide(verdict) {
  const row = current();
  if (!row) return say("Choose an interval first: down arrow key.", true);
  edit({verdict});
  say(`${row.kind} at ${clock(startOf(row.onset), 2)}: ${verdict}.`);
  if (verdict !== "open") chooseOpen();
}

function setEnd(end) {
  const row = current();
  if (!row) return say("Choose an interval first: down arrow key.", true);
  if (edit(moved(row, end, frame))) say(`${end} is frame ${current()[end]} now.`);
}

function changeKind() {
  const row = current();
  if (!row) return;
  edit({kind: KINDS[1 - KINDS.indexOf(row.kind)]});
  say(`It is an ${current().kind} now.`);
}

// A new interval starts at the frame shown; its ends are then moved.
function addHere(kind) {
  pause();
  const time = startOf(frame) + (kind === "ME" ? 0.3 : 1);
  add(kind, frame, Math.max(nearestEnd(time), frame));
  reveal(current());
  say(`${kind} added at frame ${frame}. O sets its offset to the frame shown.`);
}

function goBack(go, word) {
  if (!go()) return say(`There is nothing to ${word}.`);
  const row = current();
  if (row) reveal(row);
  say(`${word === "undo" ? "Undone" : "Done again"}.`);
}

const ACTIONS = {
  accept: () => decide("accepted"),
  reject: () => decide("rejected"),
  open: () => decide("open"),
  kind: changeKind,
  onset: () => setEnd("onset"),
  apex: () => setEnd("apex"),
  offset: () => setEnd("offset"),
  addME: () => addHere("ME"),
  addMaE: () => addHere("MaE"),
  remove: () => say(remove() ? "Removed." : "Only an interval that you added can be removed."),
  undo: () => goBack(undo, "undo"),
  redo: () => goBack(redo, "redo"),
  play: togglePlay,
  loop: () => current() ? loopRow(current()) : say("Choose an interval first: down arrow key.", true),
  speed: nextSpeed,
  next: () => chooseNext(1),
  previous: () => chooseNext(-1),
  forward: () => stepFrames(1),
  back: () => stepFrames(-1),
  forwardTen: () => stepFrames(10),
  backTen: () => stepFrames(-10),
  zoomIn: () => zoom(0.5),
  zoomOut: () => zoom(2),
  whole: () => setView(FIRST, LAST),
  panLeft: () => pan(-0.5),
  panRight: () => pan(0.5),
  csv: saveCsv,
  elan: saveElan,
  boris: saveBoris,
  help: () => { help.hidden = !help.hidden; plan(); },
};

const BY_KEY = {
  a: "accept", r: "reject", u: "open", c: "kind", i: "onset", x: "apex", o: "offset",
  n: "addME", m: "addMaE", delete: "remove", z: "undo", y: "redo", " ": "play", l: "loop",
  s: "speed", arrowdown: "next", arrowup: "previous", arrowright: "forward", arrowleft: "back",
  "shift+arrowright": "forwardTen", "shift+arrowleft": "backTen", "+": "zoomIn", "=": "zoomIn",
  "-": "zoomOut", 0: "whole", pageup: "panLeft", pagedown: "panRight", e: "csv", "?": "help",
  "ctrl+z": "undo", "ctrl+y": "redo", "ctrl+shift+z": "redo",
};

document.addEventListener("keydown", event => {
  const {target} = event, key = event.key.toLowerCase();
  const button = target.closest && target.closest("button, summary, label, input, a");
  if (event.altKey || target.closest("select") || (button && key === " ")) return;
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const shift = event.shiftKey && (ctrl || key.startsWith("arrow")) ? "shift+" : "";
  const name = BY_KEY[ctrl + shift + key];
  if (!name) return;
  event.preventDefault();
  ACTIONS[name]();
});

for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", () => ACTIONS[button.dataset.do]());
}
new ResizeObserver(plan).observe(canvas);

if (restore()) say("Your earlier review of this video was found and is shown.");
canvas.style.height = `${HEIGHT}px`;
width = canvas.clientWidth;
if (current()) {
  reveal(current());
  frame = current().onset;
}
loadFilm();
refresh();
shown();
