/**
 * The live card of one job: it draws the Card that card.py describes, ticks between messages,
 * and becomes the player, in place, once there is a clip.
 *
 * Every string of a card is foreign text and is only ever written through `textContent`.
 * One AbortController per view ends each listener and timer. The file stands alone because
 * anywidget loads it from a Blob URL, where relative imports fail.
 *
 * @typedef {{url: string | null, path: string | null, saved_to: string | null,
 *   expires_at_s: number | null}} Clip
 * @typedef {"starting" | "queued" | "running" | "unknown" | "completed" | "failed" | "stopped"
 *   | "gave_up" | "broken"} Phase
 * @typedef {"stop" | "watch"} Action
 * @typedef {object} Card  Mirrors `Card.to_json` in card.py; times are unix seconds.
 * @property {Phase} phase
 * @property {string} job_id
 * @property {string} headline
 * @property {string[]} facts
 * @property {string | null} prompt
 * @property {number | null} progress_percent
 * @property {number} aspect_ratio  width / height
 * @property {number | null} elapsed_from_s
 * @property {number | null} elapsed_to_s  null = still ticking
 * @property {number[]} checks_at_s  the last check that happened, then the planned ones
 * @property {[number, number] | null} remaining_s  low and high, as of the first check
 * @property {string | null} problem
 * @property {string | null} advice
 * @property {string | null} command
 * @property {Action[]} actions
 * @property {boolean} is_simulated
 * @property {Clip | null} clip
 * @property {{received_bytes: number, total_bytes: number | null} | null} saving
 * @property {number | null} sent_at_s  the kernel's clock when it sent this card
 */

/** A notebook host may hand over a model without a card yet. @type {Card} */
const EMPTY_CARD = {
  phase: "starting", job_id: "", headline: "Starting", facts: [], prompt: null,
  progress_percent: null, aspect_ratio: 16 / 9, elapsed_from_s: null, elapsed_to_s: null,
  checks_at_s: [], remaining_s: null, problem: null, advice: null, command: null, actions: [],
  is_simulated: false, clip: null, saving: null, sent_at_s: null,
};

const RING = "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5z";
/** A shape per phase, so that no state is told by colour alone. @type {Record<Phase, string>} */
const ICONS = {
  starting: `${RING}M8 4.75V8l2.25 1.5`,
  queued: `${RING}M8 4.75V8l2.25 1.5`,
  running: "M8 1.75a6.25 6.25 0 1 1-6.25 6.25",
  unknown: `${RING}M6.2 6.3a1.85 1.85 0 1 1 2.6 1.75c-.55.25-.8.6-.8 1.2M8 11.4v.1`,
  completed: `${RING}M5.2 8.2l2 2l3.7-4.2`,
  failed: `${RING}M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2`,
  stopped: `${RING}M6.1 6.1h3.8v3.8h-3.8z`,
  gave_up: "M4.5 1.75h7M4.5 14.25h7M5.25 1.75c0 3.6 5.5 5.5 5.5 12.5M10.75 1.75c0 3.6-5.5 5.5-5.5 12.5",
  broken: "M8 2.1l6.2 11.4H1.8zM8 6.4v3.2M8 11.6v.1",
};
const ACTIVE_PHASES = new Set(["starting", "queued", "running", "unknown"]);
const LABELS = { stop: ["Stop", "Stopping…"], watch: ["Watch again", "Starting…"] };

const SILENCE_MS = 8000; // a link without metadata by then is taken for dead
const STALL_MS = 2500; // Chromium asks an expired link again for half a minute before it says "error"
const BUSY_AFTER_MS = 1500; // a click unanswered by then waits for the running cell
const RELAY_WAIT_MS = 2000;
const HANDOVER_MS = 1500; // JupyterLab draws the replaced output well within this
const SKEW_FLOOR_S = 2; // below this, clock difference and network delay look alike

// ---------------------------------------------------------------- words

/** `1:05`, from an hour on `1:00:05`. @param {number} duration_s */
function clockTime(duration_s) {
  const total_s = Math.max(0, Math.floor(duration_s));
  const [hours, minutes] = [Math.floor(total_s / 3600), Math.floor(total_s / 60) % 60];
  const seconds = String(total_s % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** One coarse unit: `7 s`, `4 min`, `2 h`. @param {number} duration_s */
function coarse(duration_s) {
  if (duration_s < 59.5) return `${Math.round(duration_s)} s`;
  return duration_s < 5400 ? `${Math.round(duration_s / 60)} min` : `${Math.round(duration_s / 3600)} h`;
}

/** When was it checked, when will it be? @param {number[]} checks_at_s @param {number} now_s */
function checksText(checks_at_s, now_s) {
  const past = checks_at_s.filter((at_s) => at_s <= now_s);
  const future = checks_at_s.filter((at_s) => at_s > now_s);
  const next = future.length ? `next check in ${coarse(Math.max(1, Math.min(...future) - now_s))}` : "";
  if (!past.length) return next;
  const ago_s = now_s - Math.max(...past);
  // Past a planned time the kernel is asking right now; it is silent when nothing changed.
  if (past.length > 1 && ago_s < (next ? 1 : 60)) return "checking now…";
  if (past.length > 1 && !next) return `no news for ${coarse(ago_s)}`;
  const ago = ago_s < 1 ? "just now" : `${coarse(Math.floor(ago_s))} ago`;
  return [`checked ${ago}`, next].filter(Boolean).join(" · ");
}

/** Never finer than the estimate is. @param {Card} card @param {number} now_s */
function remainingText(card, now_s) {
  if (!card.remaining_s) return "";
  const passed_s = now_s - (card.checks_at_s[0] ?? card.sent_at_s ?? now_s);
  const [low_s, high_s] = card.remaining_s.map((duration_s) => duration_s - passed_s);
  if (low_s === undefined || high_s === undefined || high_s <= 0) return "";
  if (high_s < 8) return "a few seconds left";
  const [step_s, unit] = high_s < 100 ? [1, "s"] : [60, "min"];
  const grain = unit === "s" ? 5 : 1;
  const [low, high] = [low_s, high_s].map((duration_s) => Math.round(duration_s / step_s / grain) * grain);
  if (low === undefined || low <= 0) return `under ${high} ${unit} left`;
  if (low_s > high_s * 0.75) return `about ${Math.round((low_s + high_s) / 2 / step_s / grain) * grain} ${unit} left`;
  return low === high ? `about ${high} ${unit} left` : `${low}–${high} ${unit} left`;
}

/** `3.1 of 8.0 MB`. @param {number} received_bytes @param {number | null} total_bytes */
function bytesText(received_bytes, total_bytes) {
  const [unit, size] = (total_bytes ?? received_bytes) < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  const amount = (/** @type {number} */ bytes) => (bytes / size).toFixed(unit === "kB" ? 0 : 1);
  return `${amount(received_bytes)}${total_bytes ? ` of ${amount(total_bytes)}` : ""} ${unit}`;
}

/** @param {Card} card @param {number} now_s @param {boolean} isRelayed the bytes came through the kernel */
function placeText({ clip, saving }, now_s, isRelayed) {
  if (saving) return `Saving ${bytesText(saving.received_bytes, saving.total_bytes)}`;
  if (clip?.saved_to) return `Saved to ${clip.saved_to}`;
  // What the link promises is beside the point: it did not play here.
  if (isRelayed) return "not saved · came through the kernel, its link can't be played here";
  if (!clip?.expires_at_s) return "";
  const left_s = clip.expires_at_s - now_s;
  return left_s > 0 ? `link lives for ${coarse(left_s)}` : "the link has expired";
}

// ---------------------------------------------------------------- small tools

/**
 * setTimeout that ends with the view; returns what cancels it.
 * @param {number} delay_ms @param {() => void} action @param {AbortSignal} signal
 */
function after(delay_ms, action, signal) {
  if (signal.aborted) return () => {};
  const handle = setTimeout(() => { cancel(); action(); }, delay_ms);
  const cancel = () => { clearTimeout(handle); signal.removeEventListener("abort", cancel); };
  signal.addEventListener("abort", cancel);
  return cancel;
}

/** @param {CometvidModel} model @param {string} name @param {(...args: any[]) => void} callback
 * @param {AbortSignal} signal */
function listen(model, name, callback, signal) {
  model.on(name, callback);
  signal.addEventListener("abort", () => model.off(name, callback));
}

/** Write only what differs, so that a reader's selection survives the tick; empty = hidden.
 * @param {HTMLElement} node @param {string | null | undefined} text */
function say(node, text) {
  if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
  node.hidden = !text;
}

/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} name
 * @param {Record<string, string>} [attributes] @param {(Node | string)[]} children */
function h(tag, name, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.className = name.split(" ").filter(Boolean).map((word) => `cometvid-${word}`).join(" ");
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function icon() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "cometvid-icon");
  svg.append(path);
  return { svg, path };
}

/** Every node of a card, built once. */
function build() {
  const auto = { dir: "auto" };
  const button = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("button", name, { type: "button" }, text);
  const [stageIcon, rowIcon] = [icon(), icon()];
  const ui = {
    stageIcon: stageIcon.path, rowIcon: rowIcon.path,
    stageHeadline: h("span", "", auto), rowHeadline: h("span", "", auto),
    percent: h("div", "percent", { "aria-hidden": "true" }),
    message: h("div", "message-text", auto), retry: button("button on-stage retry", "Try again"),
    video: h("video", "video", { controls: "", playsinline: "", preload: "metadata" }),
    fill: h("div", "fill"), elapsed: h("span", "elapsed", { title: "Elapsed time" }),
    remaining: h("span", "remaining"), timing: h("p", "timing"),
    stop: button("button stop", "Stop"), watch: button("button button-strong watch", "Watch again"),
    problem: h("p", "problem", auto), advice: h("p", "advice", auto),
    command: h("code", "command", { dir: "ltr" }), copy: button("button button-small copy", "Copy"),
    prompt: h("p", "prompt", auto), more: button("more", "more"), facts: h("ul", "facts"),
    id: h("code", "id", { dir: "ltr" }), place: h("span", "place", auto), saved: h("div", "saved-fill"),
    live: h("div", "live", { "aria-live": "polite", role: "status" }),
  };
  const overlay = h("div", "overlay", {}, h("div", "state", {}, stageIcon.svg, ui.stageHeadline), ui.percent);
  const message = h("div", "message", {}, ui.message, ui.retry);
  const bar = h("div", "bar", {
    role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100",
  }, ui.fill);
  const stage = h("div", "stage", {}, h("div", "sky", { "aria-hidden": "true" }), overlay, message, bar);
  const status = h("span", "state", {}, rowIcon.svg, ui.rowHeadline);
  const commandRow = h("div", "command-row", {}, ui.command, ui.copy);
  const notice = h("div", "notice", {}, ui.problem, ui.advice, commandRow);
  const savedBar = h("div", "saved-bar", { "aria-hidden": "true" }, ui.saved);
  const body = h("div", "body", {},
    h("div", "row", {}, status, ui.elapsed, ui.remaining, h("span", "buttons", {}, ui.stop, ui.watch)),
    ui.timing, notice, h("div", "prompt-box", {}, ui.prompt, ui.more), ui.facts,
    h("div", "footer", {}, ui.id, ui.place), savedBar);
  // JupyterLab's one-letter commands (m, d d, space …) must not fire while the player has focus.
  const layout = h("div", "layout", {}, stage, body, ui.live);
  const root = h("section", "card", { "data-lm-suppress-shortcuts": "true" }, layout);
  return { ...ui, root, layout, stage, overlay, messageBox: message, bar, status, notice, commandRow, savedBar };
}

// ---------------------------------------------------------------- the kernel

/**
 * Tell when the kernel that watches is gone, so that no card pretends to go on.
 * anywidget's proxied model still passes the base model's events on ("comm_live_update" is fired
 * by ipywidgets when a kernel restarts) and carries the widget manager; the rest is optional.
 * @param {CometvidModel} model @param {HTMLElement} el @param {AbortSignal} signal
 * @param {(loss: Loss) => void} onChange
 * @typedef {"" | "stopped" | "disconnected"} Loss
 */
function watchKernel(model, el, signal, onChange) {
  const stopped = () => onChange("stopped");
  for (const name of ["comm_live_update", "comm:close"]) listen(model, name, stopped, signal);
  /** @param {LuminoSignal | undefined} source @param {(sender: unknown, status: string) => void} slot */
  const connect = (source, slot) => {
    if (typeof source?.connect !== "function") return;
    source.connect(slot);
    signal.addEventListener("abort", () => source.disconnect?.(slot));
  };
  const kernel = model.widget_manager?.kernel;
  connect(kernel?.disposed, stopped);
  connect(kernel?.statusChanged, (_, status) => {
    if (["dead", "restarting", "autorestarting", "terminating"].includes(status)) stopped();
  });
  connect(kernel?.connectionStatusChanged, (_, status) => {
    if (status === "connected") onChange("");
    if (status === "disconnected") onChange("disconnected");
  });
  // Set by ipywidgets on a view whose model came from the file and has no kernel behind it.
  if (el.classList.contains("jupyter-widgets-disconnected")) stopped();
}

/** What can still be said of a card without its kernel.
 * @param {Card} card @param {Loss} loss @param {number} lost_at_s @returns {Card} */
function withoutKernel(card, loss, lost_at_s) {
  if (!loss) return card;
  const isActive = ACTIVE_PHASES.has(card.phase);
  if (!isActive) return { ...card, saving: null, actions: [] };
  if (loss === "disconnected") {
    return { ...card, checks_at_s: [], remaining_s: null, actions: [],
      problem: "No connection to the kernel. This is what was known last.", advice: null };
  }
  return { ...card, phase: "broken", headline: "No longer watched", actions: [],
    elapsed_to_s: lost_at_s, problem: "The kernel stopped; the job itself goes on. Watch it again:",
    advice: null, command: card.command ?? `%cometvid watch ${card.job_id}` };
}

// ---------------------------------------------------------------- the player

/** @param {string} host */
const isLoopback = (host) =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);

/** Can this page's browser load that link at all? @param {string} link @param {Location} page */
function isReachable(link, page) {
  const url = URL.canParse(link) ? new URL(link) : null;
  if (!url) return false;
  if (url.protocol === "data:") return url.pathname.startsWith("video/");
  if (url.protocol === "blob:") return true;
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  if (page.protocol === "https:" && url.protocol === "http:" && !isLoopback(url.hostname)) return false;
  // A webview's host (vscode-webview://…) says nothing about where the person's machine is.
  const isRemotePage = page.protocol.startsWith("http") && !isLoopback(page.hostname);
  return !(isRemotePage && isLoopback(url.hostname));
}

/**
 * The player: saved file, then link, then bytes through the kernel; on each change of source the
 * place and the play state are kept.
 * @param {ReturnType<typeof build>} ui @param {CometvidModel} model @param {AbortSignal} signal
 * @param {() => void} onSource called when the source has changed
 */
function createPlayer(ui, model, signal, onSource) {
  const { video } = ui;
  /** @type {Set<string>} */
  const tried = new Set();
  const place = { at_s: 0, isPlaying: false };
  /** @type {Set<Element>} */
  let strangers = new Set();
  let clip = /** @type {Clip | null} */ (null);
  let [turn, isReady, hasGivenUp, reason, objectUrl, jobId] = [0, false, false, "", "", ""];
  let hasKernel = true;
  let [cancelSilence, cancelStall] = [() => {}, () => {}];
  // Views of one model share its messages, so request numbers start at a random place.
  let request = Math.floor(Math.random() * 2 ** 30);
  /** @typedef {{request: number, parts: ArrayBufferView<ArrayBuffer>[], received_bytes: number,
   *   cancelWait: () => void, resolve: (source: string) => void, reject: (error: Error) => void}} Relay */
  let relay = /** @type {Relay | null} */ (null);

  /** @param {string} text empty = the video itself */
  const show = (text, isFinal = false) => {
    say(ui.message, text);
    ui.messageBox.hidden = !text;
    ui.retry.hidden = !isFinal;
    video.hidden = Boolean(text);
  };

  const fetchThroughKernel = () => new Promise((/** @type {(source: string) => void} */ resolve, reject) => {
    const head = clip?.url || clip?.path
      ? "This link can't be reached from the browser, fetching the clip through the kernel…"
      : "Fetching the clip through the kernel…";
    show(head);
    const cancelWait = after(RELAY_WAIT_MS, () => show(`${head} (waits until the running cell has finished)`), signal);
    relay = { request: ++request, parts: [], received_bytes: 0, cancelWait, resolve, reject };
    model.send({ kind: "fetch_clip", request });
  });

  listen(model, "msg:custom", (/** @type {any} */ content, /** @type {DataView<ArrayBuffer>[]} */ buffers) => {
    if (!relay || content?.request !== relay.request) return;
    relay.cancelWait();
    if (content.kind === "clip_failed") return relay.reject(new Error(String(content.problem)));
    if (content.kind !== "clip_chunk") return;
    if (content.offset !== relay.received_bytes) return relay.reject(new Error("It arrived incomplete."));
    for (const part of buffers ?? []) {
      relay.parts.push(part);
      relay.received_bytes += part.byteLength;
    }
    const amount = content.total ? `${Math.floor((100 * relay.received_bytes) / content.total)} %`
      : bytesText(relay.received_bytes, null);
    show(`${(ui.message.textContent ?? "").split("…")[0]}… ${amount}`);
    if (!content.is_last) return;
    if (content.total && content.total !== relay.received_bytes) {
      return relay.reject(new Error("It arrived incomplete."));
    }
    objectUrl = URL.createObjectURL(new Blob(relay.parts, { type: "video/mp4" }));
    relay.resolve(objectUrl);
    relay = null;
  }, signal);

  /** In the order they are tried. @returns {{key: string, open: () => Promise<string | null>}[]} */
  const sources = () => {
    const { path = null, url = null } = clip ?? {};
    const list = [];
    if (path && model.widget_manager?.resolveUrl) {
      list.push({ key: `path ${path}`, open: async () => {
        const resolved = await model.widget_manager?.resolveUrl?.(path);
        const absolute = resolved ? new URL(resolved, document.baseURI).href : "";
        return isReachable(absolute, location) ? absolute : null;
      } });
    }
    if (url && isReachable(url, location)) list.push({ key: `url ${url}`, open: async () => url });
    if (hasKernel) list.push({ key: "kernel", open: fetchThroughKernel });
    return list.filter(({ key }) => !tried.has(key));
  };

  const climb = async () => {
    const mine = ++turn;
    cancelSilence();
    cancelStall();
    [isReady, hasGivenUp, relay] = [false, false, null];
    if (objectUrl) URL.revokeObjectURL(objectUrl);
    objectUrl = "";
    if (video.hasAttribute("src")) {
      video.removeAttribute("src"); // or a late error of this source would end the next one
      video.load();
    }
    const [source] = sources();
    if (!source) {
      hasGivenUp = true;
      return show(`The clip can't be played here. ${reason} For a fresh link: %cometvid watch ${jobId}`, true);
    }
    tried.add(source.key);
    const src = await source.open().catch((error) => { reason = String(error?.message ?? error); return null; });
    if (mine !== turn || signal.aborted) return;
    if (!src) return climb();
    show("");
    video.src = src;
    onSource();
    const onSilence = () => {
      // Not dead: a page in the background loads later, and data savers load on play only.
      const isPatient = document.hidden || (video.networkState === video.NETWORK_IDLE && video.paused);
      if (isPatient) cancelSilence = after(SILENCE_MS, onSilence, signal);
      else climb();
    };
    cancelSilence = after(SILENCE_MS, onSilence, signal);
  };

  /** @param {string} name @param {() => void} listener */
  const on = (name, listener) => video.addEventListener(name, listener, { signal });
  on("loadedmetadata", () => {
    cancelSilence();
    isReady = true;
    if (place.at_s > 0) video.currentTime = place.at_s;
    if (place.isPlaying) video.play().catch(() => {});
  });
  const keepTime = () => { if (isReady && !video.error) place.at_s = video.currentTime; };
  on("timeupdate", keepTime);
  on("seeking", keepTime);
  on("play", () => { place.isPlaying = true; });
  on("pause", () => { if (isReady && !video.error) place.isPlaying = false; });
  /** Out of bytes behind an expired link: no use in waiting for the browser's own verdict. */
  const watchStall = () => {
    cancelStall();
    cancelStall = after(STALL_MS, () => {
      const isStuck = isReady && (video.seeking || (!video.paused && video.readyState < video.HAVE_FUTURE_DATA));
      if (!isStuck) return;
      const isExpired = (clip?.expires_at_s ?? Infinity) < Date.now() / 1000;
      if (isExpired && video.src === clip?.url) climb();
      else watchStall();
    }, signal);
  };
  on("waiting", watchStall);
  on("seeking", watchStall);
  on("error", () => {
    reason = "The link may have expired, or this browser can't play the format.";
    climb();
  });
  ui.retry.addEventListener("click", () => { tried.clear(); climb(); }, { signal });

  return {
    /** @param {Card} card @param {boolean} isConnected  false = nobody would answer `fetch_clip` */
    update(card, isConnected) {
      const isFirst = !clip;
      hasKernel = isConnected;
      if (!hasKernel) relay?.reject(new Error("The kernel stopped."));
      clip = card.phase === "completed" ? card.clip : null;
      jobId = card.job_id;
      if (!clip) {
        if (isFirst) return;
        turn++;
        cancelSilence();
        [relay, isReady, place.at_s, place.isPlaying] = [null, false, 0, false];
        tried.clear();
        video.removeAttribute("src");
        video.remove();
        return;
      }
      if (isFirst) {
        video.setAttribute("aria-label", `Clip of ${card.job_id}`);
        ui.stage.append(video);
        strangers = new Set(document.querySelectorAll("video"));
        climb();
      } else if (hasGivenUp && sources().length) climb();
    },
    isRelayed: () => objectUrl !== "" && video.src === objectUrl,
    /** The view ends: pass place and play state to the static record that takes its seat. */
    end() {
      video.removeAttribute("src");
      if (objectUrl) URL.revokeObjectURL(objectUrl);
      if (clip && (place.isPlaying || place.at_s > 0)) handOver(jobId, place, strangers);
    },
  };
}

/**
 * After the output was replaced by `<video title="<job id>" …>` (card.py writes it), go on there.
 * Runs beyond the view on purpose, and ends by itself.
 * @param {string} jobId @param {{at_s: number, isPlaying: boolean}} place @param {Set<Element>} strangers
 */
function handOver(jobId, { at_s, isPlaying }, strangers) {
  const until_ms = Date.now() + HANDOVER_MS;
  const look = () => {
    const heir = [...document.querySelectorAll("video")].find(
      (video) => video.title === jobId && !strangers.has(video) && video.paused);
    if (heir) {
      heir.currentTime = at_s;
      if (isPlaying) heir.play().catch(() => {});
    } else if (Date.now() < until_ms) setTimeout(look, 50);
  };
  look();
}

// ---------------------------------------------------------------- the view

/** @param {{model: CometvidModel, el: HTMLElement, signal?: AbortSignal}} context */
function render({ model, el, signal: viewSignal }) {
  const controller = new AbortController();
  const { signal } = controller;
  const ui = build();
  const player = createPlayer(ui, model, signal, () => tick());
  let [card, shown] = [EMPTY_CARD, EMPTY_CARD];
  let [skew_s, drift_s, lost_at_s, announced, isBusy] = [0, Infinity, 0, "", false];
  let loss = /** @type {Loss} */ ("");
  let pending = /** @type {Action | null} */ (null);
  let [cancelTick, cancelBusy] = [() => {}, () => {}];

  const now_s = () => Date.now() / 1000 - skew_s;

  /** What moves without a message; asks for the next tick only while something does. */
  function tick() {
    cancelTick();
    const at_s = now_s();
    const isActive = ACTIVE_PHASES.has(shown.phase);
    const elapsed = shown.elapsed_from_s === null ? ""
      : clockTime((shown.elapsed_to_s ?? at_s) - shown.elapsed_from_s);
    say(ui.elapsed, elapsed && isActive ? `${elapsed} elapsed` : elapsed);
    say(ui.remaining, isActive ? remainingText(shown, at_s) : "");
    say(ui.timing, isBusy ? "waiting for the running cell to finish"
      : isActive ? checksText(shown.checks_at_s, at_s) : "");
    say(ui.place, placeText(shown, at_s, player.isRelayed()));
    const isExpiring = Boolean(shown.clip?.expires_at_s) && !shown.clip?.saved_to;
    if (document.hidden || !(isActive || isExpiring)) return;
    const phase_ms = ((at_s - (shown.elapsed_from_s ?? 0)) * 1000) % 1000;
    cancelTick = after(isActive ? 1010 - Math.max(0, phase_ms) : 30_000, tick, signal);
  }

  /** @param {Card} next */
  function update(next) {
    shown = next;
    const phase = next.phase in ICONS ? next.phase : "unknown";
    const isActive = ACTIVE_PHASES.has(phase);
    const hasPlayer = phase === "completed" && next.clip !== null;
    const ratio = next.aspect_ratio > 0.1 && next.aspect_ratio < 10 ? next.aspect_ratio : 16 / 9;
    ui.root.style.setProperty("--cometvid-ratio", String(ratio));
    ui.root.classList.toggle("cometvid-is-portrait", ratio <= 1);
    ui.root.dataset["phase"] = phase;
    ui.root.setAttribute("aria-label", `Video job ${next.job_id}`);
    ui.stage.hidden = !isActive && !hasPlayer;
    ui.overlay.hidden = ui.bar.hidden = !isActive;
    if (!hasPlayer) ui.messageBox.hidden = true;
    for (const [path, node, isShown] of /** @type {const} */ ([
      [ui.stageIcon, ui.stageHeadline, isActive], [ui.rowIcon, ui.rowHeadline, !isActive]])) {
      path.setAttribute("d", ICONS[phase]);
      say(node, isShown ? next.headline : "");
    }
    ui.status.hidden = isActive;

    const percent = next.progress_percent === null ? null
      : Math.min(100, Math.max(0, Math.round(next.progress_percent)));
    say(ui.percent, percent === null ? "" : `${percent}%`);
    ui.bar.classList.toggle("cometvid-is-unknown", percent === null);
    if (percent === null) ui.bar.removeAttribute("aria-valuenow");
    else ui.bar.setAttribute("aria-valuenow", String(percent));
    ui.fill.style.inlineSize = percent === null ? "" : `${percent}%`;

    for (const name of /** @type {const} */ (["stop", "watch"])) {
      ui[name].hidden = !next.actions.includes(name);
      // aria-disabled rather than disabled: a keyboard user's focus stays on the button.
      ui[name].setAttribute("aria-disabled", String(pending === name));
      say(ui[name], LABELS[name][pending === name ? 1 : 0]);
      if (!next.actions.includes(name)) ui[name].hidden = true;
    }
    say(ui.problem, next.problem);
    say(ui.advice, next.advice);
    say(ui.command, next.command);
    ui.commandRow.hidden = !next.command;
    ui.notice.hidden = !(next.problem || next.advice || next.command);
    say(ui.prompt, next.prompt);
    const facts = next.facts.map((fact) => h("li", "fact", { dir: "auto" }, fact));
    if (next.is_simulated) facts.unshift(h("li", "fact simulated", {}, "Simulation"));
    ui.facts.replaceChildren(...facts);
    ui.facts.hidden = !facts.length;
    say(ui.id, next.job_id);
    ui.id.title = next.job_id;
    const saved = next.saving?.total_bytes ? next.saving.received_bytes / next.saving.total_bytes : 0;
    ui.saved.style.inlineSize = `${Math.min(100, saved * 100)}%`;
    ui.savedBar.hidden = !next.saving;

    // Changes of state and each quarter; every percent would drown a listener.
    const quarter = percent === null ? 0 : Math.floor(percent / 25) * 25;
    const news = [next.headline, isActive && quarter ? `${quarter} percent` : "", next.problem]
      .filter(Boolean).join(". ");
    if (news !== announced) ui.live.textContent = announced = news;
    player.update(next, loss !== "stopped");
    measure();
    tick();
  }

  /** What CSS cannot know: is the prompt cut, does a text scroll (then the keyboard must reach it)? */
  function measure() {
    const isOpen = ui.more.getAttribute("aria-expanded") === "true";
    ui.more.hidden = !ui.prompt.textContent
      || (!isOpen && ui.prompt.scrollHeight <= ui.prompt.clientHeight + 1);
    for (const node of [ui.problem, ui.advice, ui.prompt, ui.id, ui.command]) {
      const isScroller = node.scrollHeight > node.clientHeight + 1 && getComputedStyle(node).overflowY === "auto";
      if (isScroller) node.tabIndex = 0;
      else node.removeAttribute("tabindex");
    }
  }

  const refresh = () => update(withoutKernel(card, loss, lost_at_s));
  const readCard = () => { card = { ...EMPTY_CARD, .../** @type {Card} */ (model.get("card")) }; };

  listen(model, "change:card", () => {
    readCard();
    // The least seen: after a reconnect a card may arrive that was sent long ago.
    drift_s = Math.min(drift_s, Date.now() / 1000 - (card.sent_at_s ?? -Infinity));
    skew_s = Math.abs(drift_s) < SKEW_FLOOR_S || drift_s === Infinity ? 0 : drift_s;
    [pending, isBusy, loss] = [null, false, ""]; // whoever sends cards is alive
    cancelBusy();
    refresh();
  }, signal);

  for (const name of /** @type {const} */ (["stop", "watch"])) {
    ui[name].addEventListener("click", () => {
      if (pending) return;
      pending = name;
      model.send({ kind: "action", name });
      cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = true; tick(); }, signal);
      refresh();
    }, { signal });
  }
  ui.more.addEventListener("click", () => {
    const isOpen = ui.prompt.classList.toggle("cometvid-is-open");
    ui.more.setAttribute("aria-expanded", String(isOpen));
    ui.more.textContent = isOpen ? "less" : "more";
    measure();
  }, { signal });
  ui.more.setAttribute("aria-expanded", "false");
  ui.copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(ui.command.textContent ?? "");
      ui.copy.textContent = "Copied";
    } catch { // refused, or no clipboard outside https: leave it selected for Ctrl+C
      getSelection()?.selectAllChildren(ui.command);
      ui.copy.textContent = "Selected";
    }
    after(2000, () => { ui.copy.textContent = "Copy"; }, signal);
  }, { signal });
  document.addEventListener("visibilitychange", tick, { signal });

  readCard();
  el.append(ui.root);
  refresh();
  watchKernel(model, el, signal, (next) => {
    if (loss === next || loss === "stopped") return; // an ended kernel does not come back by itself
    [loss, lost_at_s, pending, isBusy] = [next, now_s(), null, false];
    refresh();
  });
  const resizes = new ResizeObserver(measure);
  resizes.observe(ui.root);

  const end = () => {
    if (signal.aborted) return;
    player.end();
    controller.abort();
    resizes.disconnect();
    ui.root.remove();
  };
  viewSignal?.addEventListener("abort", end, { once: true }); // sooner than the cleanup (anywidget 0.11)
  return end;
}

export default { render };
