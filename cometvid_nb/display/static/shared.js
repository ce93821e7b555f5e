/**
 * What all our widgets in a page share: whether clips are heard, and which jobs are counted in the
 * page's title. anywidget loads a module per model, so what is shared hangs on its global object.
 *
 * @typedef {object} Batch  The jobs of one card or gallery that have not all ended when it came.
 * @property {Map<string, boolean>} jobs  those that are known by their id: whether each has ended
 * @property {number} total  with those on other pages
 * @property {number} ended
 * @property {number} failed  among `ended`
 * @property {string} words  the prompt, where there is but one job
 * @typedef {object} Shared
 * @property {boolean} isMuted
 * @property {boolean} isBellOn
 * @property {Map<string, Batch>} batches
 * @property {string | null} title  the page's own, while a count stands before it
 * @property {string} counted  the title with the count, as it was written
 * @property {MutationObserver | null} observer
 * @property {EventTarget} news  "bell": it was switched
 */

/** @type {Shared} */
const SHARED = /** @type {any} */ (globalThis)[Symbol.for("cometvid_nb")] ??= {
  isMuted: true, isBellOn: false, batches: new Map(), title: null, counted: "", observer: null,
  news: new EventTarget(),
};

/** All jobs that are counted now, each once, also where a card and a gallery show the same one. */
function countJobs() {
  /** @type {Map<string, boolean>} */
  const known = new Map();
  let [total, ended, failed, words] = [0, 0, 0, ""];
  for (const batch of SHARED.batches.values()) {
    for (const [id, hasEnded] of batch.jobs) known.set(id, hasEnded || known.get(id) === true);
    total += batch.total - batch.jobs.size;
    ended += batch.ended - [...batch.jobs.values()].filter(Boolean).length;
    failed += batch.failed;
    words = batch.words;
  }
  total += known.size;
  ended += [...known.values()].filter(Boolean).length;
  return { total, ended: Math.min(total, ended), failed: Math.min(failed, ended), words };
}

/** Write the count before the title, or take it away. */
function drawTitle() {
  const { total, ended } = countJobs();
  if (document.title !== SHARED.counted || SHARED.title === null) SHARED.title = document.title;
  SHARED.counted = total ? `(${ended}/${total}) ${SHARED.title}` : "";
  const title = total ? SHARED.counted : SHARED.title;
  if (document.title !== title) document.title = title;
  if (!total) {
    SHARED.observer?.disconnect();
    [SHARED.observer, SHARED.title] = [null, null];
  } else if (!SHARED.observer) {
    // JupyterLab writes a title of its own whenever another tab comes to the front.
    SHARED.observer = new MutationObserver(() => { if (document.title !== SHARED.counted) drawTitle(); });
    SHARED.observer.observe(document.head, { childList: true, characterData: true, subtree: true });
  }
}

/** Take in what is known of the jobs of a card or a gallery. @param {string} key @param {Batch} batch */
function tellJobs(key, batch) {
  if (!batch.total || (batch.ended >= batch.total && !SHARED.batches.has(key))) return;
  SHARED.batches.set(key, batch);
  const { total, ended, failed, words } = countJobs();
  if (ended < total) return drawTitle();
  const keys = [...SHARED.batches.keys()].sort().join(" ");
  SHARED.batches.clear();
  drawTitle();
  ring(total, failed, words, keys);
}

/** Count the jobs of a card or a gallery no longer: nobody follows them any more.
 * @param {Iterable<string>} keys */
function forgetJobs(keys) {
  const isAny = [...keys].filter((key) => SHARED.batches.delete(key)).length > 0;
  if (![...SHARED.batches.values()].some(({ ended, total }) => ended < total)) SHARED.batches.clear();
  if (isAny) drawTitle();
}

/** Follow a model, with a view or without one, for as long as its kernel lives.
 * @param {CometvidModel} model @param {"card" | "gallery"} name @param {AbortSignal} signal */
function followJobs(model, name, signal) {
  const own = /** @type {Set<string>} */ (new Set());
  const following = new AbortController();
  signal.addEventListener("abort", () => { following.abort(); forgetJobs(own); });
  const tell = () => {
    const [key, batch] = batchOf(model, name);
    own.add(key);
    tellJobs(key, batch);
  };
  listen(model, `change:${name}`, tell, following.signal);
  watchKernel(model, document.body, following.signal, (loss) => {
    if (loss !== "stopped") return;
    following.abort();
    forgetJobs(own);
  });
}

/** What a model says of its jobs, and by which name. @param {CometvidModel} model
 * @param {"card" | "gallery"} name @returns {[string, Batch]} */
function batchOf(model, name) {
  const hasEnded = (/** @type {Card} */ card) => !ACTIVE_PHASES.has(card.phase);
  if (name === "card") {
    const card = { ...EMPTY_CARD, .../** @type {Card} */ (model.get("card")) };
    const [ended, failed] = [Number(hasEnded(card)), Number(card.phase === "failed")];
    return [`job ${card.job_id}`, { jobs: new Map([[card.job_id, hasEnded(card)]]), total: 1, ended, failed,
      words: card.prompt ?? card.job_id }];
  }
  const { cards = {}, total = 0, totals = { queued: 0, running: 0, failed: 0 } } = /** @type {any} */ (model.get("gallery")) ?? {};
  return [`gallery ${model.get("record_token")}`, {
    jobs: new Map(Object.entries(cards).map(([id, card]) => [id, hasEnded(card)])), total,
    ended: total - totals.queued - totals.running, failed: totals.failed, words: "",
  }];
}

// ---- the bell

const BELL = "M4 11.4V7a4 4 0 0 1 8 0v4.4M2.6 11.4h10.8M6.8 13.6a1.3 1.3 0 0 0 2.4 0";

/** Tell the desktop once that all jobs have ended, unless somebody is looking.
 * @param {number} total @param {number} failed @param {string} words @param {string} keys  of the batch */
function ring(total, failed, words, keys) {
  if (!SHARED.isBellOn || (document.visibilityState === "visible" && document.hasFocus())) return;
  const title = total === 1 ? (failed ? "The job has failed" : "The job has ended") : `${countText(total)} have ended`;
  const counts = [`${total - failed} ${WORDS.groups.completed}`, `${failed} ${WORDS.groups.failed}`];
  const body = total === 1 ? words : counts.join(", ");
  try {
    // Two pages that follow the same jobs tell one thing. A later batch has a tag of its own: it would
    // take the place of what still stands on the desktop without a sound.
    const notice = new Notification(title, { body, tag: `cometvid_nb ${keys}` });
    notice.onclick = () => { window.focus(); notice.close(); };
  } catch { /* phones know notifications of service workers only */ }
}

/** Ask for what a notification needs, and say what stands in its way; "" = nothing. */
async function askForBell() {
  if (typeof Notification === "undefined" || !isSecureContext) return "This page can't notify: its address is not https.";
  const answer = Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
  if (answer === "granted") return "";
  return answer === "denied" ? "The browser blocks notifications of this page." : "Notifications were not allowed.";
}

/** The button that asks to be told. @param {AbortSignal} signal */
function createBell(signal) {
  const text = h("span", "");
  const node = h("button", "button bell", { type: "button" }, sign(BELL), text);
  const draw = (/** @type {string} */ problem = "") => {
    node.setAttribute("aria-pressed", String(SHARED.isBellOn));
    text.textContent = problem || (SHARED.isBellOn ? "A notification comes at the end" : "Tell me when it ends");
  };
  node.addEventListener("click", async () => {
    const problem = SHARED.isBellOn ? "" : await askForBell();
    SHARED.isBellOn = !SHARED.isBellOn && !problem;
    SHARED.news.dispatchEvent(new Event("bell"));
    draw(problem);
  }, { signal });
  SHARED.news.addEventListener("bell", () => draw(), { signal });
  draw();
  return node;
}
