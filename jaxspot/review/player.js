// The linked video: which frame is shown, seeking, loops.
const film = document.querySelector("video");
const missing = document.getElementById("missing");
const QUARTER = 0.25;
const MARGIN = 0.2; // seconds before onset and after offset that a loop shows as well
const OTHER_VIDEO = 0.5; // seconds that the length may differ

let frame = 1, loop = null, waiting = false;
const followers = [];
const shown = () => followers.forEach(follower => follower());
const hasFilm = () => film.readyState >= HTMLMediaElement.HAVE_METADATA;
const address = path => path.split("/").map(encodeURIComponent).join("/");

function say(text, problem = false) {
  const line = document.getElementById("said");
  line.textContent = text;
  line.classList.toggle("problem", problem);
}

// Into the middle of the frame: rounding cannot give its neighbour.
function seek(to) {
  frame = clamp(Math.round(to), 1, N);
  if (hasFilm()) film.currentTime = middleOf(frame);
  shown();
}

function pause() {
  loop = null;
  film.pause();
  shown();
}

function play() {
  if (!hasFilm()) return;
  waiting = false;
  film.playbackRate = speed();
  film.play().catch(error => {
    // A pause or a seek that comes before the start is no trouble.
    if (error.name === "NotAllowedError") say("The browser did not start the video; press Space.");
  });
}

function togglePlay() {
  if (!hasFilm()) return say("There is no video to play; choose it first.", true);
  if (film.paused) play(); else pause();
}

function stepFrames(count) {
  pause();
  seek(frame + count);
}

function loopRow(row) {
  const from = Math.max(startOf(row.onset) - MARGIN, FIRST);
  const to = Math.min(endOf(row.offset) + MARGIN, LAST);
  loop = {from, to};
  seek(frameAt(from));
  setSpeed(QUARTER);
  waiting = !hasFilm();
  play();
}

const speedBox = document.getElementById("speed");
const speed = () => Number(speedBox.value);
function setSpeed(value) {
  speedBox.value = String(value);
  film.playbackRate = value;
}
function nextSpeed() {
  const values = [...speedBox.options].map(option => Number(option.value));
  setSpeed(values[(values.indexOf(speed()) + 1) % values.length]);
  say(`Speed ${speed()}`);
}
speedBox.addEventListener("change", () => setSpeed(speed()));

// A loop that ends too late would show what is not part of it, so each picture is looked at.
function follow() {
  if (loop && (film.currentTime >= loop.to || film.ended)) {
    film.currentTime = loop.from;
    if (film.paused) play();
  }
  if (!film.paused) {
    const now = frameAt(film.currentTime);
    if (now !== frame) {
      frame = now;
      shown();
    }
  }
  if (!film.paused || loop) requestAnimationFrame(follow);
}

film.addEventListener("play", () => { requestAnimationFrame(follow); shown(); });
film.addEventListener("pause", shown);
film.addEventListener("loadedmetadata", () => {
  missing.hidden = true;
  film.hidden = false;
  const off = Math.abs(film.duration - LAST);
  if (Number.isFinite(film.duration) && off > OTHER_VIDEO) {
    say(`This video lasts ${film.duration.toFixed(1)} s, the spotted one ${LAST.toFixed(1)} s.` +
      " Is it the right file?", true);
  }
  if (!loop) seek(frame);
  else if (waiting) loopRow(current());
});
film.addEventListener("error", () => {
  missing.hidden = false;
  film.hidden = true;
  document.getElementById("why").textContent = film.src.startsWith("blob:")
    ? "This browser cannot play that file. Convert it to MP4 (H.264), without changing its frames."
    : `The video${told.video ? ` ${told.video}` : ""} cannot be played from here.` +
      " Choose the file; it stays on this computer.";
});

document.getElementById("choose").addEventListener("change", event => {
  const [file] = event.target.files;
  if (file) film.src = URL.createObjectURL(file);
});
document.getElementById("sound").addEventListener("change", event => {
  film.muted = !event.target.checked;
});

function loadFilm() {
  if (told.video) film.src = address(told.video);
  else film.dispatchEvent(new Event("error"));
}
