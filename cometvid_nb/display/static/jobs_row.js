/** One row of a list of jobs, its small picture, and what opens beneath it. */

const FRAME_AT_S = 0.1; // many clips begin with a black frame
const FRAME_WIDTH_PX = 208;
const FRAME_WITHIN_MS = 6000;

/** Draw the first frame of a clip, where this browser can load and play it.
 * @param {string} url @param {AbortSignal} signal @returns {Promise<HTMLCanvasElement | null>} */
function firstFrame(url, signal) {
  return new Promise((resolve) => {
    const video = h("video", "", { muted: "", playsinline: "", preload: "auto" });
    video.muted = true;
    const done = (/** @type {HTMLCanvasElement | null} */ canvas) => {
      cancel();
      video.removeAttribute("src");
      video.load(); // gives the decoder back
      resolve(canvas);
    };
    const cancel = after(FRAME_WITHIN_MS, () => done(null), signal);
    signal.addEventListener("abort", () => done(null), { once: true });
    video.addEventListener("error", () => { if (video.hasAttribute("src")) done(null); }, { signal });
    const draw = () => {
      const canvas = h("canvas", "jobs-frame", { "aria-hidden": "true" });
      canvas.width = FRAME_WIDTH_PX;
      canvas.height = Math.max(1, rounded((FRAME_WIDTH_PX * video.videoHeight) / (video.videoWidth || 1)));
      canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
      done(video.videoWidth ? canvas : null);
    };
    video.addEventListener("loadeddata", () => {
      if (video.currentTime > 0) draw();
      else video.addEventListener("seeked", draw, { once: true, signal });
    }, { once: true, signal });
    video.src = `${url}#t=${FRAME_AT_S}`;
  });
}

/** @param {string} name @param {(Node | string)[]} children */
const cellOf = (name, ...children) => h("td", `jobs-cell jobs-${name}`, { role: "cell" }, ...children);

/**
 * @param {JobRow} row @param {string} search
 * @param {{open: (name: string, isPlaying: boolean) => void}} host @param {AbortSignal} signal
 */
function createJobRow(row, search, host, signal) {
  const phase = PHASE_OF_STATE[row.state] ?? "unknown";
  const hasClip = row.clip !== null && row.has_id;
  const prompt = h("span", "jobs-prompt-text", { dir: "auto" });
  if (row.prompt) sayFound(prompt, aroundFound(row.prompt, search), search);
  else { prompt.textContent = "No prompt known"; prompt.classList.add("cometvid-jobs-quiet"); }
  const title = h("button", "jobs-title", { type: "button", "aria-expanded": "false" }, prompt);
  const id = h("code", "jobs-id", { dir: "ltr" });
  sayId(id, row.name);
  if (foundAt(row.name, search)) sayFound(id, row.name, search);
  const play = hasClip ? h("button", "jobs-play", { type: "button", "aria-label": `Play the clip of ${row.name}`, title: "Play" },
    sign(PLAY)) : sign(ICONS[phase]);
  const poster = h("div", "jobs-poster", {}, play);
  const model = h("span", "", { dir: "auto" });
  sayFound(model, row.model ?? "", search);
  const ltr = { dir: "ltr" };
  const when = h("time", "jobs-ago", ltr);
  if (row.began_at_s !== null) {
    const at = new Date(row.began_at_s * 1000);
    when.dateTime = at.toISOString();
    when.title = MOMENT.format(at);
  }
  const rated = h("span", "jobs-rating", { dir: "auto" });
  if (row.rating) sayFound(rated, aroundFound(ratingText(row.rating), search), search);
  const reason = h("span", "jobs-reason", { dir: "auto" });
  say(reason, row.problem ?? row.answer);
  const root = h("tr", "jobs-row", { role: "row" },
    cellOf("clip", poster), cellOf("prompt", title, id, rated, reason),
    cellOf("state", h("span", "jobs-chip", {}, sign(ICONS[phase]), stateText(row.state))),
    cellOf("model", model),
    // "4 s" in a page from right to left would read "s 4".
    cellOf("size", h("span", "", ltr, row.size ?? ""), h("span", "jobs-quiet", ltr, row.length ?? "")),
    cellOf("took", row.took_s === null ? "" : clockText(row.took_s)), cellOf("when", when));
  root.dataset["state"] = row.state;
  title.addEventListener("click", () => host.open(row.name, false), { signal });
  if (hasClip) play.addEventListener("click", () => host.open(row.name, true), { signal });
  return {
    root, title, row,
    /** @param {number} now_s */
    tick(now_s) { when.textContent = agoText(row.began_at_s, now_s); },
    hasPicture: () => poster.dataset["has"] === "picture",
    /** @param {HTMLElement} picture */
    show(picture) {
      poster.dataset["has"] = "picture";
      poster.prepend(picture);
    },
    /** @param {boolean} isOpen */
    mark(isOpen) {
      title.setAttribute("aria-expanded", String(isOpen));
      root.classList.toggle("cometvid-is-open", isOpen);
    },
  };
}

/** The model as the player of one job sees it. @param {CometvidModel} model @param {string} jobId
 * @returns {CometvidModel} */
const modelOfRow = (model, jobId) => ({
  get: () => undefined, set: () => {},
  send: (content) => model.send({ ...content, job_id: jobId }),
  on: (name, callback) => model.on(name, callback),
  off: (name, callback) => model.off(name, callback),
  ...(model.widget_manager ? { widget_manager: model.widget_manager } : {}),
});

/** Names and values, without those that are not known. @param {[string, string | null, string?][]} pairs */
function factsOf(pairs) {
  const list = h("dl", "jobs-facts");
  for (const [name, value, kind] of pairs) {
    if (!value) continue;
    const words = kind === "code" ? h("code", "", { dir: "ltr" }, value) : value;
    list.append(h("dt", "", {}, name), h("dd", "", { dir: "auto" }, words));
  }
  return list;
}

/**
 * What opens beneath a row: the player, the whole prompt, and all that is known.
 * @param {JobRow} row @param {CometvidModel} model @param {boolean} isConnected
 * @param {() => void} close @param {AbortSignal} viewSignal
 */
function createJobPanel(row, model, isConnected, close, viewSignal) {
  const controller = new AbortController();
  const { signal } = controller;
  viewSignal.addEventListener("abort", () => end(), { signal });
  const hasClip = row.clip !== null && row.has_id;
  const parts = buildPlayer("button button-small on-screen retry", "waits for the running cell");
  parts.messageBox.hidden = true;
  const screen = h("div", "screen jobs-screen", {}, parts.messageBox);
  screen.hidden = !hasClip;
  /** @param {number} ratio */
  const reshape = (ratio) => {
    screen.style.setProperty("--cometvid-ratio", String(Math.min(4, Math.max(0.25, ratio || 16 / 9))));
  };
  reshape(row.aspect_ratio);
  const closing = textButton("jobs-close", "Close");
  const command = h("code", "command", { dir: "ltr" }, row.watch_command ?? "");
  const copy = textButton("copy", "Copy");
  const commandRow = h("div", "command-row", {}, command, copy);
  commandRow.hidden = !row.watch_command;
  const prompt = h("p", "jobs-whole", { dir: "auto" }, row.prompt ?? "");
  prompt.hidden = !row.prompt;
  const moment = row.began_at_s === null ? null : MOMENT.format(new Date(row.began_at_s * 1000));
  const facts = factsOf([
    ["Job", row.has_id ? row.name : null, "code"], ["Request", row.has_id ? null : row.name, "code"],
    ["State", stateText(row.state)], ["Reason", row.problem], ["The API answered", row.answer],
    ["Model", row.model], ["Size", [row.size, row.length].filter(Boolean).join(" · ")],
    ["Rating", row.rating ? ratingText(row.rating) : null], ["Continues", row.continued_from, "code"],
    ["Pictures", row.images.join(", ")], ["Began", moment], ["Took", row.took_s === null ? null : clockText(row.took_s)],
    ["Clip", row.clip?.saved_to ?? (hasClip ? capital(WORDS.not_saved) : null), row.clip?.saved_to ? "code" : ""],
  ]);
  const cell = h("td", "jobs-panel-cell", { role: "cell", colspan: String(JOB_COLUMNS.length + 1) },
    h("div", "jobs-panel-body", {}, screen, h("div", "jobs-details", {}, prompt, facts, commandRow, closing)));
  const root = h("tr", "jobs-panel", { role: "row" }, cell);
  const card = { ...EMPTY_CARD, phase: /** @type {Phase} */ ("completed"), job_id: row.name, clip: row.clip,
    watch_command: row.watch_command };
  const player = hasClip ? createPlayer({ ...parts, screen }, modelOfRow(model, row.name), signal, () => {}, reshape) : null;
  player?.update(card, isConnected);

  closing.addEventListener("click", close, { signal });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  }, { signal });
  copy.addEventListener("click", () => copyText(copy, command.textContent ?? "", signal, command), { signal });

  function end() {
    if (signal.aborted) return;
    player?.end(false);
    controller.abort();
    root.remove();
  }
  return {
    name: row.name, root, closing, end,
    /** @param {boolean} isAlive */
    connect(isAlive) { player?.update(card, isAlive); },
    play() { player?.play(); parts.video.focus({ preventScroll: true }); },
  };
}
