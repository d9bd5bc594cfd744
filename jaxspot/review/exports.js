// Files that the page gives: the table, ELAN, BORIS.
const COLUMNS = ["subject", "video", "face", "kind", "onset", "apex", "offset", "score", "rank",
  "onset_s", "apex_s", "offset_s", "verdict"];

const decimal = stamp => {
  const text = String(Math.round(stamp) / MICRO);
  return text.includes(".") ? text : `${text}.0`;
};
const cell = text => /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : String(text);
const milliseconds = stamp => Math.round(stamp / 1000);
const filmName = () => told.video.split("/").at(-1) || `${told.name}.mp4`;

function reviewedCsv() {
  const lines = [...rows].sort(byTime).map(row => {
    const seconds = {
      onset_s: decimal(stamps[row.onset - 1]),
      apex_s: decimal(stamps[row.apex - 1]),
      offset_s: decimal(stamps[row.offset]),
    };
    const known = {...row, ...seconds, video: told.name};
    return COLUMNS.map(name => cell(String(known[name]))).join(",");
  });
  return [COLUMNS.join(","), ...lines].join("\n") + "\n";
}

// A rejected interval is none.
const good = () => [...rows].sort(byTime).filter(row => row.verdict !== "rejected");

// A tier holds no two annotations at a time, so what overlaps goes on a further tier.
function tiers() {
  const found = new Map();
  for (const row of good()) {
    const from = milliseconds(stamps[row.onset - 1]);
    const to = Math.max(milliseconds(stamps[row.offset]), from + 1);
    for (let copy = 1; ; copy++) {
      const name = `${row.kind} face ${row.face}` + (copy > 1 ? ` (${copy})` : "");
      if (!found.has(name)) found.set(name, []);
      const tier = found.get(name);
      if (tier.length && tier.at(-1).to > from) continue;
      tier.push({from, to, row});
      break;
    }
  }
  return found;
}

const escaped = text => String(text).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
const noteOf = row => [row.kind, row.score === "" ? "added" : Number(row.score).toFixed(2),
  row.verdict].join(" ");

function elan() {
  const slots = [], bodies = [];
  let count = 0;
  const slot = time => `ts${slots.push(time)}`;
  for (const [name, tier] of tiers()) {
    const notes = tier.map(({from, to, row}) =>
      `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++count}" ` +
      `TIME_SLOT_REF1="${slot(from)}" TIME_SLOT_REF2="${slot(to)}">` +
      `<ANNOTATION_VALUE>${escaped(noteOf(row))}</ANNOTATION_VALUE>` +
      "</ALIGNABLE_ANNOTATION></ANNOTATION>");
    bodies.push(`<TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="${escaped(name)}">\n` +
      `${notes.join("\n")}\n</TIER>`);
  }
  const times = slots.map((time, i) =>
    `<TIME_SLOT TIME_SLOT_ID="ts${i + 1}" TIME_VALUE="${time}"/>`);
  const media = address(filmName());
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="jaxspot" DATE="${new Date().toISOString()}" FORMAT="3.0" VERSION="3.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="${escaped(media)}" MIME_TYPE="video/mp4" \
RELATIVE_MEDIA_URL="./${escaped(media)}"/>
<PROPERTY NAME="lastUsedAnnotationId">${count}</PROPERTY>
</HEADER>
<TIME_ORDER>
${times.join("\n")}
</TIME_ORDER>
${bodies.join("\n")}
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
`;
}

function boris() {
  const now = new Date().toISOString().slice(0, 19), media = filmName();
  const subjects = [...new Set(good().map(row => `face ${row.face}`))].sort();
  const events = good().flatMap(row => [row.onset - 1, row.offset].map(place =>
    [milliseconds(stamps[place]) / 1000, `face ${row.face}`, row.kind, "", noteOf(row)]));
  const players = Object.fromEntries([..."12345678"].map(n => [n, n === "1" ? [media] : []]));
  const behaviour = (code, key) => ({type: "State event", key, code, description: "", color: "",
    category: "", modifiers: "", excluded: "", "coding map": ""});
  return JSON.stringify({
    time_format: "hh:mm:ss",
    project_date: now,
    project_name: told.name,
    project_description: "",
    project_format_version: "7.0",
    subjects_conf: Object.fromEntries(subjects.map((name, i) =>
      [String(i), {key: "", name, description: ""}])),
    behaviors_conf: {0: behaviour("ME", "m"), 1: behaviour("MaE", "a")},
    observations: {[told.name]: {
      file: players, type: "MEDIA", date: now, description: "", "time offset": 0,
      events: events.sort((a, b) => a[0] - b[0]),
      "observation time interval": [0, 0],
      independent_variables: {}, visualize_spectrogram: false, visualize_waveform: false,
      close_behaviors_between_videos: false,
      media_info: {length: {[media]: LAST}, fps: {[media]: MICRO / told.last_us},
        hasVideo: {[media]: true}, hasAudio: {[media]: false}, offset: {1: 0}},
    }},
    behavioral_categories: [], independent_variables: {}, coding_map: {},
    behaviors_coding_map: [], converters: {},
  }, null, 1) + "\n";
}

function download(ending, text, type) {
  const link = element("a", {download: `${told.name}.${ending}`});
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`Saved ${link.download} where this browser puts its downloads.`);
}
const saveCsv = () => download("reviewed.csv", reviewedCsv(), "text/csv");
const saveElan = () => download("eaf", elan(), "text/xml");
const saveBoris = () => download("boris", boris(), "application/json");
