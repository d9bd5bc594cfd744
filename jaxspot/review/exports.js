// Files that the page gives: the table, ELAN, BORIS.
const COLUMNS = ["subject", "video", "face", "kind", "onset", "apex", "offset", "score", "rank",
  "onset_s", "apex_s", "offset_s", "verdict"];

const decimal = stamp => {
  const text = String(Math.round(stamp) / MICRO);
  return text.includes(".") ? text : `${text}.0`;
};
const cell = text => /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : String(text);
const milliseconds = stamp => Math.round(stamp / 1000);
// As the page links it: the files belong beside the page.
const filmName = () => told.video || told.name;

function reviewedCsv() {
  const lines = [...rows].sort(byTime).map(row => {
    const seconds = {
      onset_s: decimal(stamps[row.onset - 1]),
      apex_s: decimal(stamps[row.apex - 1]),
      offset_s: decimal(endStamp(row.offset)),
    };
    const known = {...row, ...seconds, video: told.name};
    return COLUMNS.map(name => cell(String(known[name]))).join(",");
  });
  return [COLUMNS.join(","), ...lines].join("\n") + "\n";
}

// A rejected interval is none. Each face has a tier of both kinds, and further ones for what
// overlaps: neither tool takes two intervals of one tier at a time.
function tiers(gap = 0) {
  const good = [...rows].sort(byTime).filter(row => row.verdict !== "rejected");
  const faces = [...new Set(good.map(row => row.face))].sort((a, b) => a - b);
  return faces.flatMap(face => KINDS.flatMap(kind => {
    const parts = [[]];
    for (const row of good.filter(one => one.face === face && one.kind === kind)) {
      const from = milliseconds(stamps[row.onset - 1]);
      const to = Math.max(milliseconds(endStamp(row.offset)), from + 1);
      const free = parts.find(part => !part.length || part.at(-1).to + gap <= from);
      if (free) free.push({row, from, to}); else parts.push([{row, from, to}]);
    }
    return parts.map((spans, i) => {
      const beside = i ? ` (${i + 1})` : "";
      return {kind, spans, name: `${kind} face ${face}${beside}`, who: `face ${face}${beside}`};
    });
  }));
}

const escaped = text => String(text).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
const caption = row => row.kind + (row.score === "" ? "" : ` ${Number(row.score).toFixed(2)}`);

function elan() {
  const all = tiers(), ends = [];
  for (const {spans} of all) {
    for (const span of spans) ends.push([span.from, span, "first"], [span.to, span, "last"]);
  }
  // ELAN wants the slots in the order of time.
  ends.sort((a, b) => a[0] - b[0]).forEach(([, span, end], i) => { span[end] = `ts${i + 1}`; });
  let count = 0;
  const note = ({first, last, row}) => `<ANNOTATION><ALIGNABLE_ANNOTATION ` +
    `ANNOTATION_ID="a${++count}" TIME_SLOT_REF1="${first}" TIME_SLOT_REF2="${last}">` +
    `<ANNOTATION_VALUE>${escaped(caption(row))}</ANNOTATION_VALUE>` +
    "</ALIGNABLE_ANNOTATION></ANNOTATION>\n";
  const bodies = all.map(({name, spans}) => `<TIER LINGUISTIC_TYPE_REF="default-lt" ` +
    `TIER_ID="${escaped(name)}">\n${spans.map(note).join("")}</TIER>\n`);
  const slots = ends.map(([time], i) =>
    `<TIME_SLOT TIME_SLOT_ID="ts${i + 1}" TIME_VALUE="${time}"/>\n`);
  const file = filmName(), media = escaped(file.startsWith("../") ? file : `./${file}`);
  const kinds = {mp4: "mp4", m4v: "mp4", mov: "quicktime", avi: "x-msvideo", mkv: "x-matroska"};
  const mime = kinds[file.split(".").at(-1).toLowerCase()];
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="jaxspot" DATE="${new Date().toISOString().slice(0, 19)}+00:00" \
FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
<MEDIA_DESCRIPTOR MEDIA_URL="${media}" MIME_TYPE="${mime ? `video/${mime}` : "unknown"}" \
RELATIVE_MEDIA_URL="${media}"/>
<PROPERTY NAME="lastUsedAnnotationId">${count}</PROPERTY>
</HEADER>
<TIME_ORDER>
${slots.join("")}</TIME_ORDER>
${bodies.join("")}\
<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
`;
}

// BORIS pairs the events of one subject and kind by their order, so none of them may touch.
function boris() {
  const now = new Date().toISOString().slice(0, 19), file = filmName(), all = tiers(1);
  const events = all.flatMap(({kind, who, spans}) => spans.flatMap(({row, from, to}) => [
    [from / 1000, who, kind, "", row.score === "" ? "" : caption(row)],
    [to / 1000, who, kind, "", ""],
  ]));
  const subjects = [...new Set(all.map(({who}) => who))];
  const numbered = things => Object.fromEntries(things.map((thing, i) => [String(i), thing]));
  const behaviour = (code, key, description) => ({type: "State event", key, code, description,
    color: "", category: "", modifiers: "", excluded: "", "coding map": ""});
  return JSON.stringify({
    time_format: "s", project_date: now, project_name: "jaxspot", project_description: "",
    project_format_version: "7.0",
    subjects_conf: numbered(subjects.map(name => ({key: "", name, description: ""}))),
    behaviors_conf: numbered([behaviour("ME", "m", "micro-expression: under 0.5 s"),
      behaviour("MaE", "a", "macro-expression: 0.5 s and longer")]),
    observations: {[told.name]: {
      file: Object.fromEntries([..."12345678"].map(n => [n, n === "1" ? [file] : []])),
      type: "MEDIA", date: now, description: "", "time offset": 0,
      events: events.sort((a, b) => a[0] - b[0]), "observation time interval": [0, 0],
      independent_variables: {}, visualize_spectrogram: false, visualize_waveform: false,
      media_creation_date_as_offset: false, media_scan_sampling_duration: 0,
      image_display_duration: 1, close_behaviors_between_videos: false,
      media_info: {length: {[file]: LAST}, fps: {[file]: told.fps}, hasVideo: {[file]: true},
        hasAudio: {[file]: false}, offset: {1: 0}},
    }},
    behavioral_categories: [], behavioral_categories_config: {}, independent_variables: {},
    coding_map: {}, behaviors_coding_map: [], converters: {},
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
