"use strict";
(() => {
  const videos = JSON.parse(document.getElementById("viewer-data").textContent);
  const NAMES = ["ME", "MaE"];
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue("--" + name).trim();
  const COLOURS = ["me", "mae"].map(colour), PALE = ["me-pale", "mae-pale"].map(colour);
  const [INK, SOFT, RULE, GREY, GAP] = ["ink", "soft", "line", "curve", "gap"].map(colour);
  const MISSING = 255, STEPS = 254;
  const LEFT = 86, RIGHT = 14, TOP = 8, CURVE = 190, LANE = 18, AXIS = 36;
  const HEIGHT = TOP + CURVE + 2 * LANE + 8 + AXIS;

  const box = document.getElementById("viewer");
  const select = box.querySelector("select");
  const readout = box.querySelector(".readout");
  const canvases = [...box.querySelectorAll("canvas")];
  const legends = [...box.querySelectorAll(".legend")];
  const counts = box.querySelector("tbody");
  let shown = 0, pointed = null, curves = [];

  const bytes = text => Uint8Array.from(atob(text), mark => mark.charCodeAt(0));
  const start = (video, column) => Math.floor(column * video.frames / video.columns);
  const columnOf = (video, frame) => Math.ceil(frame * video.columns / video.frames) - 1;
  const value = (kind, byte) => kind.low + byte * (kind.high - kind.low) / STEPS;
  const seconds = (video, frame) => (frame - 1) / video.fps;
  const number = (x, digits) => x.toFixed(digits).replace("-", "\u2212");

  function decode(video) {
    return video.kinds.map(kind => ({raw: bytes(kind.raw), smooth: bytes(kind.smooth)}));
  }

  function tickStep(range, most) {
    const rough = range / Math.max(most, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map(n => n * power).find(step => step >= rough);
  }

  function ticks(low, high, most) {
    const step = tickStep(high - low, most), found = [];
    for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) {
      found.push(n * step);
    }
    return {places: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
  }

  function scales(video, kind, width) {
    const limits = [kind.low, kind.high];
    if (kind.threshold !== null) limits.push(kind.threshold);
    const low = Math.min(...limits), high = Math.max(...limits);
    const length = video.frames / video.fps;
    return {
      low, high, length,
      x: time => LEFT + time / length * (width - LEFT - RIGHT),
      y: score => TOP + (high - score) / (high - low) * CURVE,
    };
  }

  function drawCurve(pen, video, kind, data, scale, colour, thick) {
    const n = video.columns;
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    let begun = false, last = 0;
    for (let c = 0; c < n; c++) {
      if (data[c] === MISSING) { begun = false; continue; }
      const middle = (start(video, c) + start(video, c + 1) - 1) / 2;
      const x = scale.x(middle / video.fps);
      const ends = [data[c], data[n + c]].map(byte => scale.y(value(kind, byte)));
      // The nearer end first, or a slope would look like a saw.
      if (begun && Math.abs(ends[1] - last) < Math.abs(ends[0] - last)) ends.reverse();
      if (begun) pen.lineTo(x, ends[0]); else pen.moveTo(x, ends[0]);
      last = ends[1];
      pen.lineTo(x, ends[0] === last ? last + 0.01 : last);
      begun = true;
    }
    pen.stroke();
  }

  function drawSpans(pen, video, spans, scale, top, colours, hollow) {
    for (const [onset, offset, hit] of spans) {
      const x = scale.x(seconds(video, onset));
      const wide = Math.max(scale.x(seconds(video, offset + 1)) - x, 2);
      if (hollow) {
        pen.strokeStyle = colours[0];
        pen.lineWidth = hit ? 2 : 1.2;
        pen.setLineDash(hit ? [] : [3, 2]);
        pen.strokeRect(x, top + 3, wide, LANE - 7);
        pen.setLineDash([]);
      } else {
        pen.fillStyle = hit ? colours[0] : colours[1];
        pen.fillRect(x, top + 2, wide, LANE - 5);
      }
    }
  }

  function drawAxes(pen, scale, width, bottom) {
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = SOFT;
    pen.strokeStyle = RULE;
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const up = ticks(scale.low, scale.high, 5);
    for (const tick of up.places) {
      const y = Math.round(scale.y(tick)) + 0.5;
      pen.beginPath(); pen.moveTo(LEFT, y); pen.lineTo(width - RIGHT, y); pen.stroke();
      pen.fillText(number(tick, up.digits), LEFT - 8, y);
    }
    pen.fillText("labelled", LEFT - 8, TOP + CURVE + 8 + LANE / 2);
    pen.fillText("predicted", LEFT - 8, TOP + CURVE + 8 + 1.5 * LANE);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.strokeStyle = SOFT;
    pen.beginPath();
    pen.moveTo(LEFT, bottom + 0.5); pen.lineTo(width - RIGHT, bottom + 0.5);
    const along = ticks(0, scale.length, Math.floor((width - LEFT) / 90));
    for (const tick of along.places) {
      const x = Math.round(scale.x(tick)) + 0.5;
      pen.moveTo(x, bottom); pen.lineTo(x, bottom + 4);
      pen.fillText(number(tick, along.digits), x, bottom + 6);
    }
    pen.stroke();
    pen.fillText("time (s)", (LEFT + width - RIGHT) / 2, bottom + 21);
  }

  function draw(i) {
    const video = videos[shown], kind = video.kinds[i], canvas = canvases[i];
    const width = canvas.parentNode.clientWidth, ratio = window.devicePixelRatio || 1;
    canvas.style.height = HEIGHT + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const scale = scales(video, kind, width), bottom = TOP + CURVE + 8 + 2 * LANE;
    pen.fillStyle = GAP;
    for (const [onset, offset] of video.gaps) {
      const x = scale.x(seconds(video, onset));
      pen.fillRect(x, TOP, Math.max(scale.x(seconds(video, offset + 1)) - x, 1), bottom - TOP);
    }
    drawAxes(pen, scale, width, bottom);
    drawCurve(pen, video, kind, curves[i].raw, scale, GREY, 0.8);
    drawCurve(pen, video, kind, curves[i].smooth, scale, COLOURS[i], 1.6);
    if (kind.threshold !== null) {
      pen.strokeStyle = INK;
      pen.lineWidth = 1;
      pen.setLineDash([6, 4]);
      const y = scale.y(kind.threshold);
      pen.beginPath(); pen.moveTo(LEFT, y); pen.lineTo(width - RIGHT, y); pen.stroke();
      pen.setLineDash([]);
    }
    const colours = [COLOURS[i], PALE[i]];
    drawSpans(pen, video, kind.truth, scale, TOP + CURVE + 8, colours, false);
    drawSpans(pen, video, kind.predicted, scale, TOP + CURVE + 8 + LANE, colours, true);
    if (pointed !== null) {
      const x = scale.x((pointed - 0.5) / video.fps);
      pen.strokeStyle = SOFT;
      pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(x, TOP); pen.lineTo(x, bottom); pen.stroke();
    }
  }

  function tellLegend(i) {
    const video = videos[shown], kind = video.kinds[i], missed = kind.labels - kind.found;
    const items = [
      ["line", GREY, "score before smoothing"],
      ["line", COLOURS[i], "smoothed score"],
      ["dash", INK, kind.threshold === null
        ? "no threshold: nothing can be found"
        : "threshold " + number(kind.threshold, 2)],
      ["fill", COLOURS[i], `labelled and found (${kind.found})`],
      ["fill", PALE[i], `labelled, missed (${missed})`],
      ["hollow", COLOURS[i], `predicted, right (${kind.predictions - kind.false})`],
      ["hollow dashed", COLOURS[i], `predicted, false (${kind.false})`],
    ];
    if (video.gaps.length) {
      items.push(["fill", GAP, `no score: no face (${video.gaps.length})`]);
    }
    legends[i].replaceChildren(...items.map(([look, colour, text]) => {
      const item = document.createElement("span"), swatch = document.createElement("i");
      swatch.className = look;
      swatch.style.color = colour;
      item.append(swatch, text);
      return item;
    }));
  }

  function tellCounts() {
    const rows = videos[shown].kinds.map((kind, i) => {
      const row = document.createElement("tr"), head = document.createElement("th");
      head.scope = "row";
      head.textContent = NAMES[i];
      row.append(head);
      for (const name of ["labels", "found", "predictions", "false"]) {
        row.insertCell().textContent = kind[name];
      }
      return row;
    });
    counts.replaceChildren(...rows);
  }

  function tellFrame() {
    const video = videos[shown];
    if (pointed === null) {
      const length = video.frames / video.fps;
      readout.textContent = `${video.frames} frames, ${number(length, 2)} s at ` +
        `${+video.fps.toFixed(3)} frames per second. Point at a curve to read it.`;
      return;
    }
    const column = columnOf(video, pointed), n = video.columns;
    const many = start(video, column + 1) - start(video, column) > 1;
    const range = (kind, data) => {
      const [low, high] = [data[column], data[n + column]].map(b => number(value(kind, b), 2));
      return low === high ? low : `${low} to ${high}`;
    };
    const within = (kind, name, text) => kind[name]
      .filter(([onset, offset]) => onset <= pointed && pointed <= offset)
      .map(([onset, offset, hit]) => `, ${text[0]} ${onset}\u2013${offset} (${text[1 + hit]})`)
      .join("");
    const parts = video.kinds.map((kind, i) => {
      const {raw, smooth} = curves[i];
      const score = raw[column] === MISSING && smooth[column] === MISSING ? "no score"
        : `smoothed ${range(kind, smooth)}, before ${range(kind, raw)}`;
      return `${NAMES[i]}: ${score}` + within(kind, "truth", ["labelled", "missed", "found"]) +
        within(kind, "predicted", ["predicted", "false", "right"]);
    });
    const frames = many
      ? ` (values over frames ${start(video, column) + 1}\u2013${start(video, column + 1)})` : "";
    readout.textContent =
      `frame ${pointed}, ${number(seconds(video, pointed), 3)} s${frames}. ${parts.join(". ")}.`;
  }

  function drawAll() { canvases.forEach((_, i) => draw(i)); }

  function show(place) {
    shown = (place + videos.length) % videos.length;
    pointed = null;
    curves = decode(videos[shown]);
    select.selectedIndex = shown;
    legends.forEach((_, i) => tellLegend(i));
    tellCounts();
    tellFrame();
    drawAll();
  }

  function point(event) {
    const video = videos[shown], width = event.currentTarget.clientWidth;
    const share = (event.offsetX - LEFT) / (width - LEFT - RIGHT);
    pointed = share < 0 || share >= 1 ? null : Math.floor(share * video.frames) + 1;
    tellFrame();
    drawAll();
  }

  select.replaceChildren(...videos.map(video => {
    const sum = name => video.kinds.reduce((total, kind) => total + kind[name], 0);
    return new Option(`${video.name} (${video.subject}): ${sum("labels")} labels, ` +
      `${sum("found")} found, ${sum("false")} false`);
  }));
  select.addEventListener("change", () => show(select.selectedIndex));
  box.querySelector(".before").addEventListener("click", () => show(shown - 1));
  box.querySelector(".after").addEventListener("click", () => show(shown + 1));
  document.addEventListener("keydown", event => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    const busy = event.altKey || event.ctrlKey || event.metaKey || event.target === select;
    if (!step || busy) return;
    event.preventDefault();
    show(shown + step);
  });
  for (const canvas of canvases) {
    canvas.addEventListener("pointermove", point);
    canvas.addEventListener("pointerleave", () => { pointed = null; tellFrame(); drawAll(); });
  }
  window.addEventListener("resize", drawAll);
  show(0);
})();
