/**
 * What all our widgets in a page share: whether clips are heard, and which jobs are counted in the
 * page's title. anywidget loads a module per model, so what is shared hangs on its global object.
 *
 * @typedef {object} Told  What is known of one job, or of all of a gallery.
 * @property {number} total
 * @property {number} ended
 * @property {number} completed  among `ended`
 * @property {number} failed  among `ended`
 * @property {string} words  the prompt of a job
 * @typedef {Told & {jobs: Map<string, Told>}} Batch  The jobs of one card or gallery; `jobs` are those that
 *   are known by their id, `total` counts those on other pages as well
 * @typedef {object} Shared
 * @property {boolean} isMuted
 * @property {Set<string>} bells  the keys of those whose end somebody wants to be told of
 * @property {Map<string, Batch>} batches  by key: those that had not all ended when they came
 * @property {string | null} title  the page's own, while a count stands before it
 * @property {string} counted  the title with the count, as it was written
 * @property {MutationObserver | null} observer
 * @property {EventTarget} news  "bell": one was switched
 */

/** @type {Shared} */
const SHARED = /** @type {any} */ (globalThis)[Symbol.for("cometvid_nb")] ??= {
  isMuted: true, bells: new Set(), batches: new Map(), title: null, counted: "", observer: null,
  news: new EventTarget(),
};
SHARED.bells ??= new Set(); // an older version of this module may have come first

/** All jobs that are counted now, each once, also where a card and a gallery show the same one. */
function countJobs() {
  /** @type {Map<string, number>} */
  const known = new Map();
  let [total, ended] = [0, 0];
  for (const batch of SHARED.batches.values()) {
    for (const [id, told] of batch.jobs) known.set(id, Math.max(told.ended, known.get(id) ?? 0));
    total += batch.total - batch.jobs.size;
    ended += batch.ended - sumOf([...batch.jobs.values()].map((told) => told.ended));
  }
  total += known.size;
  ended += sumOf([...known.values()]);
  return { total, ended: Math.min(total, ended) };
}

/** @param {number[]} numbers */
const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

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
  for (const [id, told] of batch.jobs) ringAtEnd(keyOfJob(id), told);
  ringAtEnd(key, batch);
  if (!batch.total || (batch.ended >= batch.total && !SHARED.batches.has(key))) return;
  SHARED.batches.set(key, batch);
  const { total, ended } = countJobs();
  if (ended >= total) SHARED.batches.clear();
  drawTitle();
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
  let latest = /** @type {any} */ (null);
  const tell = (/** @type {any} */ value) => {
    latest = value ?? {};
    const [key, batch] = name === "card" ? batchOfCard(latest) : batchOfGallery(model, latest);
    // A card can go on with another job than the one that it showed.
    forgetJobs([...own].filter((old) => old !== key && SHARED.batches.get(old)?.ended === 0));
    own.add(key);
    tellJobs(key, batch);
  };
  listen(model, `change:${name}`, () => tell(model.get(/** @type {any} */ (name))), following.signal);
  // Only a view takes a change into the model, and the gallery may have none: its output was cleared, or
  // another client has made it.
  listen(model, "msg:custom", (content) => {
    if (content?.kind === "gallery_change") tell(afterChange(latest ?? model.get("gallery"), content));
  }, following.signal);
  watchKernel(model, document.body, following.signal, (loss) => {
    if (loss !== "stopped") return;
    following.abort();
    forgetJobs(own);
  });
}

/** A gallery as it is after a message that tells what has changed. @param {Gallery | null | undefined} gallery
 * @param {{gallery: Omit<Gallery, "cards">, cards: Gallery["cards"]}} change @returns {Gallery} */
function afterChange(gallery, change) {
  const cards = { ...gallery?.cards, ...change.cards };
  return { ...change.gallery, cards: Object.fromEntries(change.gallery.order.flatMap((id) => {
    const card = cards[id];
    return card ? [[id, card]] : [];
  })) };
}

const keyOfJob = (/** @type {string} */ id) => `job ${id}`;
/** @param {CometvidModel} model */
const keyOfGallery = (model) => `gallery ${model.get("record_token")}`;

/** @param {Card} card @returns {Told} */
const toldOf = ({ phase, prompt, job_id }) => ({
  total: 1, ended: Number(!ACTIVE_PHASES.has(phase)), completed: Number(phase === "completed"),
  failed: Number(phase === "failed"), words: prompt ?? job_id,
});

/** @param {Card} value @returns {[string, Batch]} */
function batchOfCard(value) {
  const card = { ...EMPTY_CARD, ...value };
  const told = toldOf(card);
  return [keyOfJob(card.job_id), { ...told, jobs: new Map([[card.job_id, told]]) }];
}

/** @param {CometvidModel} model @param {Partial<Gallery>} gallery @returns {[string, Batch]} */
function batchOfGallery(model, { cards = {}, total = 0, totals }) {
  const { queued = 0, running = 0, completed = 0, failed = 0 } = totals ?? {};
  const jobs = new Map(Object.entries(cards).map(([id, card]) => [id, toldOf(card)]));
  return [keyOfGallery(model), { jobs, total, ended: total - queued - running, completed, failed, words: "" }];
}

// ---- the bell

const BELL = "M4 11.4V7a4 4 0 0 1 8 0v4.4M2.6 11.4h10.8M6.8 13.6a1.3 1.3 0 0 0 2.4 0";

const MOST_NOTICE = 120; // characters

/** Tell the desktop that a job, or all of a gallery, has ended, if somebody wants that and is not looking.
 * @param {string} key @param {Told} told */
function ringAtEnd(key, { total, ended, completed, failed, words }) {
  if (!total || ended < total || !SHARED.bells.delete(key)) return;
  SHARED.news.dispatchEvent(new Event("bell"));
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  const other = total - completed - failed;
  const one = failed ? "The job has failed" : completed ? "The job has ended" : "The job is no longer watched";
  const counts = [`${completed} ${WORDS.groups.completed}`, `${failed} ${WORDS.groups.failed}`,
    ...(other ? [`${other} ${WORDS.groups.other}`] : [])];
  const title = total === 1 ? one : `${countText(total)} have ended`;
  const body = total === 1 ? noticeText(words) : counts.join(", ");
  try {
    // Two pages that follow the same jobs tell one thing. Another batch has a tag of its own: it would
    // take the place of what still stands on the desktop without a sound.
    const notice = new Notification(title, { body, tag: `cometvid_nb ${key}` });
    notice.onclick = () => { window.focus(); notice.close(); };
  } catch { /* phones know notifications of service workers only */ }
}

/** As long as a notice shows it, and no markup, which some desktops would read. @param {string} words */
function noticeText(words) {
  const whole = [...words];
  const text = whole.length > MOST_NOTICE ? `${whole.slice(0, MOST_NOTICE - 1).join("")}…` : words;
  return text.replaceAll("<", "<\u200b");
}

/** Whether a page of another origin is around this one: there no browser lets it notify. */
function isFramed() {
  try {
    return window.top?.location.origin !== location.origin;
  } catch { // that page's address is not for us
    return true;
  }
}

/** Ask for what a notification needs, and say what stands in its way; "" = nothing. */
async function askForBell() {
  if (typeof Notification === "undefined" || !isSecureContext) return "This page can't notify: its address is not https.";
  const answer = Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
  if (answer === "granted") return "";
  if (isFramed()) return "This page can't notify: it stands inside another one.";
  return answer === "denied" ? "Notifications are blocked. Allow them at the left of the page's address, then press again."
    : "Notifications were not allowed. Press again to be asked once more.";
}

/** The button that asks to be told of the end of a job or a gallery.
 * @param {() => string} key @param {AbortSignal} signal */
function createBell(key, signal) {
  const text = h("span", "");
  const node = h("button", "button bell", { type: "button" }, sign(BELL), text);
  const draw = (/** @type {string} */ problem = "") => {
    const isOn = SHARED.bells.has(key());
    node.setAttribute("aria-pressed", String(isOn));
    const words = isOn ? "A notification comes at the end, unless this page is in front" : "Tell me when it ends";
    text.textContent = problem || words;
  };
  node.addEventListener("click", async () => {
    const own = key();
    const problem = SHARED.bells.delete(own) ? "" : await askForBell() || (SHARED.bells.add(own), "");
    SHARED.news.dispatchEvent(new Event("bell"));
    draw(problem);
  }, { signal });
  SHARED.news.addEventListener("bell", () => draw(), { signal });
  draw();
  return { node, draw };
}
