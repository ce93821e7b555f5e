/**
 * A gallery as its jobs see it: each has a model of its own; few at a time fetch through the kernel.
 *
 * @typedef {"queued" | "running" | "completed" | "failed" | "other"} Total
 * @typedef {object} Gallery  Mirrors `Gallery.to_json` in cards/gallery.py.
 * @property {number} total
 * @property {Record<Total, number>} totals
 * @property {Total | "all"} filter
 * @property {"added" | "state" | "progress" | "longest"} sort
 * @property {number} matching  how many the filter lets through
 * @property {number} page  from 1
 * @property {number} pages
 * @property {boolean} is_simulated
 * @property {boolean} is_settled  nothing will change any more
 * @property {string | null} command  the line to paste that shows these jobs again
 * @property {{ratio: number, columns: string, max_width: string}} grid  see `Grid` in cards/grid.py
 * @property {string[]} order  the jobs of this page
 * @property {Record<string, TileCard>} cards  by job id
 * @property {number | null} sent_at_s
 */

/** @type {Gallery} */
const EMPTY_GALLERY = {
  total: 0, totals: { queued: 0, running: 0, completed: 0, failed: 0, other: 0 }, filter: "all",
  sort: "added", matching: 0, page: 1, pages: 1, is_simulated: false, is_settled: false, order: [],
  command: null, grid: { ratio: 16 / 9, columns: "", max_width: "" },
  cards: {}, sent_at_s: null,
};

const RELAYS = 3; // clips that come through the kernel at the same time

/** The gallery's model as the card of one job sees it.
 * @param {CometvidModel} model @param {string} jobId @param {() => TileCard} readCard
 * @param {(content: any) => void} send @returns {CometvidModel & {changed: () => void}} */
function modelOfJob(model, jobId, readCard, send) {
  /** @type {Set<() => void>} */
  const callbacks = new Set();
  return {
    get: (name) => (name === "card" ? readCard() : model.get(name)),
    set: () => {},
    send: (content) => send({ ...content, job_id: jobId }),
    on: (name, callback) => { name === "change:card" ? callbacks.add(callback) : model.on(name, callback); },
    off: (name, callback) => { name === "change:card" ? callbacks.delete(callback) : model.off(name, callback); },
    changed: () => { for (const callback of callbacks) callback(); },
    ...(model.widget_manager ? { widget_manager: model.widget_manager } : {}),
  };
}

/** Lets a few requests for bytes through at a time.
 * @param {CometvidModel} model @param {AbortSignal} signal */
function createFetchGate(model, signal) {
  /** @typedef {{request: number, job_id: string}} FetchRequest @type {FetchRequest[]} */
  let waiting = [];
  /** @type {FetchRequest[]} */
  let asked = [];
  const pump = () => {
    while (asked.length < RELAYS && waiting[0]) {
      asked.push(waiting[0]);
      model.send(/** @type {FetchRequest} */ (waiting.shift()));
    }
  };
  listen(model, "msg:custom", (content) => {
    if (content?.kind !== "clip_failed" && !(content?.kind === "clip_chunk" && content.is_last)) return;
    asked = asked.filter(({ request }) => request !== content.request);
    pump();
  }, signal);
  return {
    /** @param {FetchRequest} wanted */
    ask(wanted) {
      this.forget(wanted.job_id); // a later request of a job replaces its earlier one
      waiting.push(wanted);
      pump();
    },
    /** @param {string} jobId */
    forget(jobId) {
      [waiting, asked] = [waiting.filter(({ job_id }) => job_id !== jobId), asked.filter(({ job_id }) => job_id !== jobId)];
      pump();
    },
  };
}
