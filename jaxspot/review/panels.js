// The list of intervals, what is known of the chosen one, and the lines of text.
const list = document.getElementById("list");
const detail = document.getElementById("detail");
const order = document.getElementById("order");
const SIGNS = {open: "\u00b7", accepted: "\u2713", rejected: "\u2715"};
const PICTURES = {onset: "onset", apex: "apex", offset: "offset", difference: "apex \u2212 onset, \u00d73"};

function element(tag, fields = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), fields);
  made.append(...inside);
  return made;
}

const sorted = () => [...rows].sort(order.value === "time" ? byTime : byScore);
const scoreText = row => row.score === "" ? "added" : Number(row.score).toFixed(2);
const misfit = row => {
  const long = lengthOf(row) >= LONGEST_ME;
  if (row.kind === "ME" && long) return "longer than an ME (under 0.5 s): C makes it an MaE";
  if (row.kind === "MaE" && !long) return "shorter than an MaE (0.5 s or more): C makes it an ME";
  return "";
};

function choose(id, {looping = true} = {}) {
  chosen = id;
  const row = current();
  keep();
  if (row) {
    reveal(row);
    if (looping) loopRow(row); else seek(row.onset);
  }
  refresh();
}

function chooseNext(by) {
  const all = sorted(), place = all.findIndex(row => row.id === chosen);
  if (!all.length) return;
  const next = place < 0 ? (by > 0 ? 0 : all.length - 1) : clamp(place + by, 0, all.length - 1);
  choose(all[next].id);
}

// The next in the list that nobody has decided on, from the top again at its end.
function chooseOpen() {
  const all = sorted(), place = all.findIndex(row => row.id === chosen);
  const next = [...all.slice(place + 1), ...all.slice(0, place + 1)]
    .find(row => row.verdict === "open");
  if (next) choose(next.id);
  else say("Every interval is decided. Save the result: E.");
}

function tellList() {
  const items = sorted().map(row => {
    const item = element("li", {id: `row-${row.id}`, className: row.verdict},
      element("span", {className: "rank", textContent: row.rank || "+"}),
      element("span", {className: `kind ${row.kind}`, textContent: row.kind}),
      element("span", {textContent: clock(startOf(row.onset), 2)}),
      element("span", {textContent: `${lengthOf(row).toFixed(2)} s`}),
      element("span", {textContent: scoreText(row)}),
      element("span", {className: "verdict", textContent: `${SIGNS[row.verdict]} ${row.verdict}`}));
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(row.id === chosen));
    item.addEventListener("click", () => choose(row.id));
    return item;
  });
  list.replaceChildren(...items);
  const row = current();
  if (row) {
    list.setAttribute("aria-activedescendant", `row-${row.id}`);
    document.getElementById(`row-${row.id}`).scrollIntoView({block: "nearest"});
  } else {
    list.removeAttribute("aria-activedescendant");
  }
  if (!rows.length) list.append(element("li", {className: "none", textContent: "No interval."}));
}

function tellDetail() {
  const row = current();
  if (!row) {
    detail.replaceChildren("No interval is chosen. Click one, or press the down arrow key.");
    return;
  }
  const end = (name, frame, time) => `${name} frame ${frame} (${time.toFixed(3)} s)`;
  const parts = [
    element("strong", {className: `kind ${row.kind}`, textContent: row.kind}),
    `, face ${row.face}: ${end("onset", row.onset, startOf(row.onset))}, ` +
      `${end("apex", row.apex, startOf(row.apex))}, ${end("offset", row.offset, endOf(row.offset))}`,
  ];
  const odd = misfit(row);
  if (odd) parts.push(element("span", {className: "odd", textContent: `${lengthOf(row).toFixed(2)} s: ${odd}`}));
  const taken = told.pictures[row.id];
  if (taken) {
    const images = Object.entries(PICTURES).filter(([name]) => taken[name]).map(([name, text]) =>
      element("figure", {}, element("img", {src: taken[name], alt: `face, ${text}`}),
        element("figcaption", {textContent: text})));
    parts.push(element("div", {className: "pictures"}, ...images));
  }
  detail.replaceChildren(...parts);
}

function tellCounts() {
  const count = verdict => rows.filter(row => row.verdict === verdict).length;
  document.getElementById("counts").textContent =
    `${count("accepted")} accepted, ${count("rejected")} rejected, ${count("open")} open`;
  document.getElementById("kept").textContent = kept
    ? "Kept in this browser; save the file to keep it for good."
    : "This browser keeps nothing: save the file before you close the page.";
  for (const [id, able] of [["undo", past.length], ["redo", future.length]]) {
    document.getElementById(id).disabled = !able;
  }
  for (const button of document.querySelectorAll("button.needs-row")) button.disabled = !current();
}

function tellFrame() {
  const at = frame - 1, parts = curves.map((kind, i) => {
    const data = (kind.smooth || kind.raw)[0].low[at];
    return `${KINDS[i]} ${data === MISSING ? "none" : valueOf(kind, data).toFixed(2)}`;
  });
  const none = gaps.some(({from, to}) => from <= frame && frame <= to);
  document.getElementById("readout").textContent =
    `frame ${frame} of ${N}, ${startOf(frame).toFixed(3)} s; scores: ${parts.join(", ")}` +
    (none ? ", no face" : "");
  document.querySelector("[data-do=play] span").textContent = film.paused ? "Play" : "Stop";
}

watchers.push(tellList, tellDetail, tellCounts, plan);
followers.push(tellFrame, keepInView, plan);
order.addEventListener("change", tellList);
