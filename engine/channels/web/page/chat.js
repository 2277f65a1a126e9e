// The chat page. What a person does goes into a queue, which the browser keeps until the bot has
// acknowledged it; what is said comes as lines with ascending places, and after a broken line the
// page asks for those after the last one it has. Texts become text nodes: nothing is read as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const log = $("log"), scroll = $("scroll"), text = $("text");

const PAUSES = [300, 600, 1200, 2400, 4000]; // milliseconds, after a line that broke
const SLOWLY = [2000, 4000, 8000, 15000, 30000]; // and after one that was refused
const PING = 20000, PONG = 8000;

let socket = null, tries = 0, retry = 0, ended = false;
let live = false, place = 0, hello = null, heard = 0;
let first = 0, asking = false; // the place of the oldest line, and whether older ones are asked for
let stuck = true, lastDay = "";
let me = document.body.dataset.me; // who it is, or nothing where that is not known yet
const bubbles = new Map(); // name of a message: its element
const said = new Map(); // name of a message: what it says, in short
const waiting = new Map(); // id of a press: its button
const gone = new Set(); // names of messages that were deleted
const ahead = new Map(); // name of a message that is further back: what has changed in it since

// --- words ------------------------------------------------------------------------------

const labels = JSON.parse(document.body.dataset.labels);
const label = (name, values = {}) => labels[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

const LANG = document.documentElement.lang;
const LOCALE = navigator.languages.find((each) => each.split("-")[0] === LANG.split("-")[0]) || LANG;

// --- making elements --------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [kind, handler] of Object.entries(value)) element.addEventListener(kind, handler);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const TAGS = { b: "strong", i: "em", u: "u", s: "s", code: "code", pre: "pre", quote: "blockquote" };

function rich(pieces, mine = false) {
  return pieces.map((piece) => {
    if (typeof piece === "string") return linked(piece, mine);
    const inside = piece.s === "code" || piece.s === "pre" ? [short(piece.c)] : rich(piece.c, mine);
    if (piece.s === "a") return outward(piece.href, ...inside);
    if (piece.s === "spoiler") {
      return make("button", { type: "button", class: "spoiler", "aria-label": label("reveal"),
        on: { click: (event) => { event.currentTarget.classList.add("seen"); event.currentTarget.removeAttribute("aria-label"); } } }, ...inside);
    }
    return make(TAGS[piece.s] || "span", {}, ...inside);
  });
}

function outward(url, ...children) {
  return make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// Addresses become links, and commands that the bot speaks of become buttons.
const WORD = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]|(?<![\w/])\/[A-Za-z0-9_]{1,32}(?![\w/])/g;
function linked(plain, mine) {
  const parts = document.createDocumentFragment();
  let at = 0;
  for (const found of plain.matchAll(WORD)) {
    const word = found[0];
    const isCommand = word.startsWith("/");
    if (isCommand && (mine || !hello || ! hello.commands.some(([name]) => `/${name}` === word))) continue;
    parts.append(plain.slice(at, found.index));
    parts.append(isCommand ? make("button", { type: "button", class: "inline", on: { click: () => say(word) } }, word) : outward(word, word));
    at = found.index + word.length;
  }
  parts.append(plain.slice(at));
  return parts;
}

const short = (pieces) => pieces.map((piece) => (typeof piece === "string" ? piece : short(piece.c))).join("");

function sized(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

// --- bubbles ----------------------------------------------------------------------------

function bubbleOf(it, at) {
  const message = make("article", { class: it.mine ? "message mine" : "message", "aria-label": it.mine ? label("you") : label("bot") });
  message.dataset.ref = it.ref;
  fill(message, it, at);
  return message;
}

function fill(message, it, at) {
  const bubble = make("div", { class: "bubble" });
  if (it.reply_to && said.has(it.reply_to)) {
    bubble.append(make("button", { type: "button", class: "answers", "aria-label": label("answering", { words: said.get(it.reply_to) }),
      on: { click: () => bubbles.get(it.reply_to)?.scrollIntoView({ block: "center", behavior: "smooth" }) } }, said.get(it.reply_to)));
  }
  if (it.media.length) bubble.append(make("div", { class: it.media.length > 1 ? "media many" : "media" }, ...it.media.map(shown)));
  if (it.spot) bubble.append(spot(it.spot));
  bubble.append(...rich(it.text, it.mine));
  bubble.append(make("time", { class: "stamp", datetime: new Date(at).toISOString() }, clock(at)));
  const row = make("div", { class: "row" }, bubble);
  message.replaceChildren(row);
  setKnobs(message, it.knobs, it.ref);
  const words = short(it.text).trim() || (it.media[0] ? it.media[0].name || it.media[0].kind : it.spot ? label("location") : "");
  said.set(it.ref, words.slice(0, 80));
  if (it.refused) refuse(message, it.refused);
  if (!it.mine) {
    row.append(make("button", { type: "button", class: "reply", "aria-label": label("reply"),
      on: { click: () => answer(it.ref) } }, "↩"));
  }
}

const clock = (at) => new Date(at).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });

function spot(it) {
  const where = `${it.latitude.toFixed(5)}, ${it.longitude.toFixed(5)}`;
  const map = `https://www.openstreetmap.org/?mlat=${it.latitude}&mlon=${it.longitude}#map=16/${it.latitude}/${it.longitude}`;
  const link = outward(map, icon("M12 21s7-6.200 7-11.500A7 7 0 0 0 5 9.500C5 14.800 12 21 12 21ZM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5"),
    make("span", {}, make("b", {}, it.title || label("location")), make("small", {}, where)));
  link.className = "paper";
  return link;
}

function shown(shot) {
  const source = shot.url || `files/${encodeURIComponent(shot.file)}`;
  const figure = make("figure", {}, drawn(shot, source));
  if (shot.text.length) figure.append(make("figcaption", {}, ...rich(shot.text)));
  return figure;
}

function drawn(shot, source) {
  if (shot.kind === "photo") {
    const image = make("img", { src: source, alt: shot.name || label("photo"), referrerpolicy: "no-referrer" });
    if (shot.width && shot.height) { image.width = shot.width; image.height = shot.height; }
    image.addEventListener("error", () => image.replaceWith(paper({ ...shot, name: shot.name || label("photo") }, source)));
    const link = outward(source, image);
    if (shot.spoiler) {
      image.classList.add("hazed");
      link.addEventListener("click", (event) => { if (image.classList.contains("hazed")) { event.preventDefault(); image.classList.remove("hazed"); } });
    }
    return link;
  }
  if (shot.kind === "video") return make("video", { src: source, controls: true, playsinline: "", preload: "metadata", "aria-label": shot.name || label("video") });
  if (shot.kind === "audio") return make("audio", { src: source, controls: true, preload: "metadata", "aria-label": shot.name || label("audio") });
  return paper(shot, source);
}

function paper(shot, source) {
  const link = outward(source, icon("M7 3h7l5 5v13H7zM14 3v5h5"),
    make("span", {}, make("b", {}, shot.name || label("file")), make("small", {}, shot.size ? sized(shot.size) : "")));
  link.className = "paper";
  if (!shot.url) link.setAttribute("download", shot.name || "file");
  return link;
}

function setKnobs(message, rows, ref) {
  message.querySelector(".knobs")?.remove();
  const filled = rows.filter((row) => row.length);
  message.classList.toggle("knobbed", filled.length > 0);
  if (!filled.length) return;
  const knobs = make("div", { class: "knobs", role: "group", "aria-label": label("buttons") },
    ...filled.map((row) => make("div", {}, ...row.map((it) => knob(it, ref)))));
  message.querySelector(".row").after(knobs);
}

function knob(it, ref) {
  if (it.url) {
    const link = outward(it.url, it.label);
    link.className = "knob";
    return link;
  }
  const button = make("button", { type: "button", class: "knob" }, it.label);
  if (it.copy) button.addEventListener("click", () => copy(it.copy));
  else if (it.data) button.addEventListener("click", () => press(button, ref, it.data));
  else button.disabled = true;
  return button;
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    notice(label("copied"));
  } catch {
    notice(words); // where the browser does not let us: to be copied by hand
  }
}

// --- the log ----------------------------------------------------------------------------

function take(line) {
  if (line.n <= place) return;
  place = line.n;
  const it = named(line.it);
  if (it.task === "delete") {
    gone.add(it.ref);
    return drop(it.ref);
  }
  const old = it.edit ? bubbles.get(it.ref) : null;
  if (it.task === "buttons" || it.task === "refused") {
    if (!old) return putAhead(it, false);
    if (it.task === "refused") return refuse(old, short(it.text));
    return keepFocus(old, () => setKnobs(old, it.knobs, it.ref));
  }
  if (!it.mine) showTyping(false);
  if (old) {
    const kept = old.it;
    old.it = { ...it, media: it.media.length ? it.media : kept.media, reply_to: it.reply_to || kept.reply_to };
    keepFocus(old, () => fill(old, old.it, old.at));
    setKeys(it.keys);
    return undefined;
  }
  bubbles.get(it.ref)?.remove(); // the same, while it was pending
  add(bubbleOf(it, line.at), it, line.at, document.querySelector(".message.pending, .message.failed"));
  if (it.mine && keysOnce && !$("keys").hidden) setKeys({ kind: "remove", rows: [], placeholder: "" });
  setKeys(it.keys);
  return undefined;
}

// An edit has a name of its own, and is about the message that it replaces.
const named = (it) => ({ ...it, ref: it.edit || it.ref });

// What changes a message that is further back waits until that is loaded.
function putAhead(it, older) {
  const change = it.task === "buttons" ? { knobs: it.knobs } : { refused: short(it.text) };
  const known = ahead.get(it.ref) || {};
  ahead.set(it.ref, older ? { ...change, ...known } : { ...known, ...change });
}

function add(message, it, at, before = null) {
  const day = new Date(at).toDateString();
  if (day !== lastDay && !before) {
    lastDay = day;
    log.append(divider(at));
  }
  put(message, it, at, before);
  $("start").hidden = true;
}

function put(message, it, at, before) {
  message.at = at;
  message.it = it;
  log.insertBefore(message, before);
  bubbles.set(it.ref, message);
}

function divider(at) {
  const element = make("div", { class: "day" }, dayName(at));
  element.dataset.day = new Date(at).toDateString();
  return element;
}

// --- what was said before ---------------------------------------------------------------

function begun(frame) {
  place = Math.max(place, frame.last);
  first = frame.first;
  $("earlier").hidden = !frame.more;
}

function askForOlder() {
  if (asking || !live || $("earlier").hidden) return;
  asking = true;
  socket.send(JSON.stringify({ t: "older", before: first }));
}
$("earlier").addEventListener("click", askForOlder);

function older(frame) {
  asking = false;
  if (frame.later) return;
  quietly(() => {
    const top = log.firstChild, anchor = log.querySelector(".message");
    const before = anchor?.getBoundingClientRect().top;
    let day = "";
    for (const line of frame.lines) {
      const it = olderOne(line.it);
      if (!it) continue;
      if (new Date(line.at).toDateString() !== day) {
        const heading = divider(line.at);
        day = heading.dataset.day;
        log.insertBefore(heading, top);
      }
      put(bubbleOf(it, line.at), it, line.at, top);
    }
    if (top?.dataset.day === day) top.remove();
    first = frame.first || first;
    $("earlier").hidden = !frame.more;
    if (anchor) scroll.scrollTop += anchor.getBoundingClientRect().top - before;
  });
}

// An older message as it stands now; nothing where it is gone, or there already as it was edited.
function olderOne(line) {
  const it = named(line);
  if (gone.has(it.ref) || bubbles.has(it.ref)) return null;
  if (it.task === "delete") gone.add(it.ref);
  else if (it.task !== "message") putAhead(it, true);
  else return { ...it, ...ahead.get(it.ref) };
  return null;
}

// What was said before is not news.
function quietly(change) {
  log.setAttribute("aria-live", "off");
  change();
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

// What was said is kept no more: it was erased, or is too old.
function reset() {
  place = first = 0;
  lastDay = "";
  log.replaceChildren();
  for (const known of [bubbles, said, gone, ahead]) known.clear();
  $("earlier").hidden = true;
  setKeys({ kind: "remove", rows: [], placeholder: "", once: false });
  answer("");
  queue.filter((item) => item.frame.t !== "press").forEach(pend);
  if (!bubbles.size) showStart();
}

function dayName(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return label("today");
  if (days === 1) return label("yesterday");
  return new Date(at).toLocaleDateString(LOCALE, { day: "numeric", month: "long", year: "numeric" });
}

function drop(ref) {
  bubbles.get(ref)?.remove();
  bubbles.delete(ref);
  said.delete(ref);
}

// Buttons that are put in place of others must not take the focus away from who uses the keyboard.
function keepFocus(message, change) {
  const knobs = () => [...message.querySelectorAll(".knob")];
  const at = knobs().indexOf(document.activeElement);
  change();
  if (at >= 0) (knobs()[Math.min(at, knobs().length - 1)] || text).focus({ preventScroll: true });
}

function toEnd() {
  scroll.scrollTop = scroll.scrollHeight;
}

scroll.addEventListener("scroll", () => {
  stuck = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  $("down").hidden = stuck;
  if (scroll.scrollTop < 40) askForOlder();
});
new ResizeObserver(() => stuck && toEnd()).observe(log);
new ResizeObserver(() => stuck && toEnd()).observe(scroll);
$("down").addEventListener("click", () => { stuck = true; toEnd(); });

function showTyping(on) {
  $("typing").hidden = !on;
  if (stuck) toEnd();
}

let noticeEnd = 0;
function notice(words) {
  const box = $("notice");
  box.textContent = words;
  box.classList.add("shown");
  clearTimeout(noticeEnd);
  noticeEnd = setTimeout(() => { box.classList.remove("shown"); box.textContent = ""; }, 3000 + 50 * words.length);
}

// --- what waits to be sent --------------------------------------------------------------

let queue = [], pumping = false, settle = null;
const blobs = new Map();
const drawer = () => `handrail ${location.pathname} ${me}`;
const page = newId(); // of this tab, until it is closed or loaded again
const lockOf = (owner) => `handrail page ${owner}`;

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `c-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function save() {
  if (!me) return;
  try {
    const kept = stored().filter((old) => !mine.has(old.id));
    const all = [...kept, ...queue];
    if (all.length) localStorage.setItem(drawer(), JSON.stringify(all));
    else localStorage.removeItem(drawer());
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // no room, or no storage: it stays in this page
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(drawer()) || "[]");
  } catch {
    return [];
  }
}

const mine = new Set(); // what this page has put into the drawer, or has taken out of it
function enqueue(frame) {
  const item = { id: newId(), page, at: Date.now(), frame };
  mine.add(item.id);
  queue.push(item);
  save();
  if (frame.t !== "press") pend(item);
  pump();
  return item;
}

// Takes over what pages have left that were closed or reloaded before everything was acknowledged.
// A page that is open holds its lock, and sends what is its own itself.
const watched = new Set([page]);
function recover() {
  for (const owner of new Set(stored().map((item) => item.page))) {
    if (watched.has(owner)) continue;
    watched.add(owner);
    if (navigator.locks) navigator.locks.request(lockOf(owner), () => takeOver(owner));
    else takeOver(owner);
  }
}
if (navigator.locks) navigator.locks.request(lockOf(page), () => new Promise(() => {}));

function takeOver(owner) {
  for (const item of stored()) {
    if (item.page !== owner || mine.has(item.id)) continue;
    mine.add(item.id);
    queue.push({ ...item, page });
    if (item.frame.t !== "press" && !bubbles.has(item.id)) pend(item);
  }
  save();
  pump();
}

function pend(item) {
  const { frame } = item;
  const it = { ref: item.id, mine: true, task: "message", edit: "", text: [], media: [], spot: null, knobs: [], keys: null, reply_to: frame.reply_to || "" };
  if (frame.t === "say") it.text = [frame.text];
  if (frame.t === "card") it.text = [label("contact")];
  if (frame.t === "here") it.spot = { ...frame, title: "" };
  if (frame.t === "file") {
    it.text = frame.caption ? [frame.caption] : [];
    const blob = blobs.get(item.id);
    const picture = blob && /^image\/(jpeg|png|gif|webp)$/.test(blob.type) && !frame.plain;
    it.media = [{ kind: picture ? "photo" : "document", file: "", url: blob ? URL.createObjectURL(blob) : "", name: item.name, size: item.size, width: 0, height: 0, spoiler: false, text: [] }];
  }
  const message = bubbleOf(it, item.at);
  message.classList.add("pending");
  message.querySelector(".stamp").textContent = label("sending");
  add(message, it, item.at);
  stuck = true;
  toEnd();
}

async function pump() {
  if (pumping) return;
  pumping = true;
  while (queue.length && live) {
    const item = queue[0];
    const answer = await sent(item);
    if (answer.t === "later") await new Promise((go) => setTimeout(go, answer.seconds * 1000));
    else if (answer.t !== "lost") over(item, answer);
  }
  pumping = false;
}

async function sent(item) {
  if (item.frame.t === "file" && !item.up) {
    const answer = await upload(item);
    if (answer) return answer;
    item.up = true;
    save();
  }
  if (!live) return { t: "lost" };
  return new Promise((resolve) => {
    settle = resolve;
    socket.send(JSON.stringify({ ...item.frame, id: item.id }));
  });
}

async function upload(item) {
  const blob = blobs.get(item.id);
  if (!blob) return { t: "refused", reason: label("file_lost") };
  const { width = "", height = "" } = await pixels(blob);
  const about = new URLSearchParams({ name: item.name, width, height });
  try {
    const answer = await fetch(`files/${item.id}?${about}`, { method: "POST", body: blob, headers: { "content-type": blob.type || "application/octet-stream" } });
    if (answer.ok) return null;
    if (answer.status === 429 || answer.status === 503) return { t: "later", seconds: Number(answer.headers.get("retry-after")) || 2 };
    const told = await answer.json().catch(() => ({}));
    return { t: "refused", reason: told.reason || label("file_refused") };
  } catch {
    return { t: "later", seconds: 2 }; // the network
  }
}

function over(item, answer) {
  queue = queue.filter((other) => other !== item);
  save();
  blobs.delete(item.id);
  const message = bubbles.get(item.id);
  if (answer.t === "refused") {
    waiting.get(item.id)?.classList.remove("waiting");
    waiting.delete(item.id);
    if (message) fail(message, item, answer.reason);
    else notice(answer.reason);
  }
}

function refuse(message, reason) {
  message.classList.remove("pending");
  message.classList.add("failed");
  message.querySelector(".stamp").textContent = label("not_sent");
  if (!message.querySelector(".trouble")) message.append(make("p", { class: "trouble" }, reason));
}

function fail(message, item, reason) {
  if (message.classList.contains("pending")) { // it is nowhere but here
    const remove = make("button", { type: "button", on: { click: () => { drop(item.id); text.focus(); } } }, label("remove"));
    message.append(make("p", { class: "trouble", role: "alert" }, reason, " ", remove));
  }
  refuse(message, reason);
  if (item.frame.t === "say" && !text.value) { text.value = item.frame.text; grow(); }
}

function say(words) {
  enqueue({ t: "say", text: words, reply_to: answering });
  answer("");
}

function press(button, ref, data) {
  if (button.classList.contains("waiting")) return;
  button.classList.add("waiting");
  const item = enqueue({ t: "press", ref, data });
  waiting.set(item.id, button);
  setTimeout(() => button.classList.remove("waiting"), 8000);
}

// --- keys in place of a keyboard --------------------------------------------------------

let keysOnce = false;
function setKeys(keys) {
  if (!keys) return;
  const box = $("keys");
  text.placeholder = keys.placeholder || label("message");
  text.inputMode = "text";
  keysOnce = keys.once;
  if (keys.kind === "keys") {
    box.replaceChildren(...keys.rows.map((row) => make("div", {}, ...row.map(cap))));
    box.hidden = false;
  } else {
    box.hidden = true;
    box.replaceChildren();
    if (keys.kind === "force" && live) text.focus();
  }
}

function cap(it) {
  if (it.url) {
    const link = outward(it.url, it.label);
    link.className = "knob";
    return link;
  }
  return make("button", { type: "button", class: "knob", on: { click: () => used(it) } }, it.label);
}

function used(it) {
  if (it.asks_for === "location") return locate();
  if (it.asks_for === "contact") return hello.contact ? enqueue({ t: "card" }) : askPhone();
  say(it.label);
}

function askPhone() {
  text.placeholder = label("phone");
  text.inputMode = "tel";
  text.focus();
}

function locate() {
  if (!navigator.geolocation) return notice(label("no_location"));
  notice(label("locating"));
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => enqueue({ t: "here", latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy }),
    (error) => notice(error.code === error.PERMISSION_DENIED ? label("location_denied") : label("location_unknown")),
    { enableHighAccuracy: true, timeout: 20000 });
}

// --- writing ----------------------------------------------------------------------------

let answering = "";
function answer(ref) {
  answering = ref;
  $("answered").hidden = !ref;
  $("answered-text").textContent = ref ? label("replying", { words: said.get(ref) || "" }) : "";
  if (ref) text.focus();
}
$("unanswer").addEventListener("click", () => { answer(""); text.focus(); });

function grow() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
  $("send").disabled = !text.value.trim() && !chosen;
  offerCommands();
}
text.addEventListener("input", grow);

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = (text.value.toWellFormed ? text.value.toWellFormed() : text.value).replaceAll("\0", "").trim();
  if (!words && !chosen) return;
  if (hello && words.length > hello.text_limit) return notice(label("text_long", { count: words.length, most: hello.text_limit }));
  if (chosen) sendFile(words);
  else say(words);
  text.value = "";
  grow();
});

text.addEventListener("keydown", (event) => {
  if (!$("commands").hidden && moveAmongCommands(event)) return event.preventDefault();
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});

let offered = [], picked = 0;
function offerCommands() {
  const box = $("commands");
  const begun = /^\/(\w*)$/.exec(text.value);
  offered = begun && hello ? hello.commands.filter(([name]) => name.startsWith(begun[1].toLowerCase())) : [];
  picked = 0;
  $("offered").textContent = offered.length ? label("offered", { count: offered.length }) : "";
  box.hidden = !offered.length;
  box.replaceChildren(...offered.map(([name, about], at) => make("li", { role: "option", id: `command-${at}`, class: "command",
    on: { mousedown: (event) => event.preventDefault(), click: () => pick(at) } }, ...commandWords(name, about))));
  markPicked();
}

const commandWords = (name, about) => [make("b", {}, `/${name}`), make("span", {}, about)];

function markPicked() {
  [...$("commands").children].forEach((item, at) => item.setAttribute("aria-selected", String(at === picked)));
  if (offered.length) text.setAttribute("aria-activedescendant", `command-${picked}`);
  else text.removeAttribute("aria-activedescendant");
  $("commands").children[picked]?.scrollIntoView({ block: "nearest" });
}

function moveAmongCommands(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    picked = (picked + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length;
    markPicked();
  } else if (event.key === "Tab" && !event.shiftKey) {
    text.value = `/${offered[picked][0]} `;
    grow();
  } else if (event.key === "Escape") {
    offered = [];
    $("commands").hidden = true;
    $("offered").textContent = "";
    markPicked();
  } else if (event.key === "Enter" && !event.isComposing) {
    pick(picked);
  } else {
    return false;
  }
  return true;
}

function pick(at) {
  const [name] = offered[at];
  text.value = "";
  grow();
  say(`/${name}`);
  text.focus();
}

// --- files ------------------------------------------------------------------------------

let chosen = null;
$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => { choose($("file").files[0]); $("file").value = ""; });
$("unchoose").addEventListener("click", () => { choose(null); text.focus(); });

function choose(file) {
  if (file && hello && file.size > hello.upload_limit) {
    notice(label("file_large", { name: file.name, size: sized(file.size), most: sized(hello.upload_limit) }));
    file = null;
  } else if (file && !file.size) {
    notice(label("file_empty", { name: file.name }));
    file = null;
  }
  chosen = file;
  $("chosen").hidden = !file;
  if (file) {
    $("chosen-name").textContent = `${file.name} (${sized(file.size)})`;
    $("chosen-plain").hidden = !/^(image|audio|video)\//.test(file.type);
    $("plain").checked = false;
    text.focus();
  }
  grow();
}

function sendFile(caption) {
  const file = chosen, plain = $("plain").checked;
  choose(null);
  const id = newId();
  blobs.set(id, file);
  const item = { id, page, at: Date.now(), frame: { t: "file", caption, plain }, name: file.name, size: file.size };
  mine.add(id);
  queue.push(item);
  save();
  pend(item);
  pump();
}

async function pixels(file) {
  if (!/^image\/(jpeg|png|gif|webp)$/.test(file.type)) return {};
  try {
    const picture = await createImageBitmap(file);
    const { width, height } = picture;
    picture.close();
    return { width, height };
  } catch {
    return {}; // no picture, whatever it says
  }
}

for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    if (kind === "drop" && event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
  });
}
text.addEventListener("paste", (event) => {
  const file = event.clipboardData.files[0];
  if (file) { event.preventDefault(); choose(file); }
});

// --- the line ---------------------------------------------------------------------------

function state(words) {
  if ($("state").textContent !== words) $("state").textContent = words;
}

function connect() {
  clearTimeout(retry);
  if (ended || (socket && socket.readyState < 2)) return;
  const address = new URL("ws", document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const line = (socket = new WebSocket(address));
  line.addEventListener("open", () => line.send(JSON.stringify({ t: "hello", after: place })));
  line.addEventListener("message", (event) => { heard = Date.now(); hear(JSON.parse(event.data)); });
  line.addEventListener("close", (event) => { if (line === socket) lost(event.code); });
}

const REFUSALS = { 1011: "trouble", 4429: "windows", 4430: "address", 4503: "crowded" };

function lost(code) {
  live = false;
  showTyping(false);
  settle?.({ t: "lost" });
  settle = null;
  asking = false;
  if (code === 4401 || code === 4403) {
    ended = true;
    if (code === 4403) return state(label("foreign"));
    return $("state").replaceChildren(label("signed_out"), " ", make("a", { href: "" }, label("reload")));
  }
  state(label(REFUSALS[code] || "connecting"));
  const pauses = REFUSALS[code] ? SLOWLY : PAUSES;
  const pause = pauses[Math.min(tries, pauses.length - 1)];
  tries += 1;
  retry = setTimeout(connect, pause * (0.8 + 0.2 * Math.random()));
}

function hear(frame) {
  switch (frame.t) {
    case "hello": return greeted(frame);
    case "lines":
      frame.lines.forEach(take);
      if ("more" in frame) begun(frame);
      if (stuck) toEnd();
      return undefined;
    case "older": return older(frame);
    case "reset": return reset();
    case "live": return caughtUp();
    case "typing": return showTyping(frame.on);
    case "pressed": return pressed(frame);
    case "ack": case "refused": case "later":
      settle?.(frame);
      settle = null;
      return undefined;
    default: return undefined;
  }
}

function greeted(frame) {
  if (hello && hello.me !== frame.me) return location.reload(); // somebody else by now
  if (me !== frame.me) become(frame.me);
  hello = frame;
  return undefined;
}

// Somebody else than when the page was loaded: what was written here goes into their drawer.
function become(mark) {
  const written = queue;
  queue = [];
  save();
  me = mark;
  queue = written;
  save();
}

function caughtUp() {
  tries = 0;
  live = true;
  state(label("online"));
  recover();
  if (!bubbles.size) showStart();
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  grow();
  pump();
}

function pressed(frame) {
  waiting.get(frame.id)?.classList.remove("waiting");
  waiting.delete(frame.id);
  if (frame.notice) notice(frame.notice);
}

function showStart() {
  const box = $("start");
  const words = hello.commands.length ? label("start_commands") : label("start");
  box.replaceChildren(make("p", {}, words), ...hello.commands.map(([name, about]) =>
    make("button", { type: "button", class: "command", on: { click: () => say(`/${name}`) } }, ...commandWords(name, about))));
  box.hidden = false;
}

setInterval(() => {
  if (!live) return;
  const asked = Date.now(), line = socket;
  line.send('{"t":"ping"}');
  setTimeout(() => {
    if (line !== socket || heard >= asked) return;
    socket = null; // it says nothing any more: do not wait for its end
    line.close();
    lost(0);
  }, PONG);
}, PING);

function hurry() {
  if (live || document.hidden) return;
  tries = 0;
  connect();
}
addEventListener("online", hurry);
document.addEventListener("visibilitychange", hurry);

log.setAttribute("aria-live", "off"); // what was said before is not news
$("face").textContent = [...$("title").textContent.trim()][0]?.toUpperCase() || "•";
if (matchMedia("(hover: hover)").matches) text.focus();
grow();
connect();
