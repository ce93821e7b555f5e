/**
 * What a list of remembered jobs is, and the words that only its page says.
 *
 * @typedef {"when" | "prompt" | "state" | "model" | "size" | "took"} JobOrder
 * @typedef {object} JobRow  Mirrors `JobRow` in cards/job_list.py; times are unix seconds.
 * @property {string} name  the job's id, or what stands for it
 * @property {boolean} has_id
 * @property {string} state  as the ledger has it
 * @property {number | null} began_at_s
 * @property {string | null} prompt
 * @property {string | null} model
 * @property {string | null} size
 * @property {string | null} length
 * @property {number | null} took_s
 * @property {string | null} problem
 * @property {string | null} answer  of the API, where no id could be read from it
 * @property {string[]} images
 * @property {Clip | null} clip
 * @property {number} aspect_ratio  width / height
 * @property {string | null} watch_command
 * @property {Rating | null} rating  what a person thinks of the clip
 * @property {string | null} continued_from  the job whose last frame the clip begins with
 * @typedef {object} JobQuery  Mirrors `JobQuery` in cards/job_list.py.
 * @property {string | null} state  null = all
 * @property {string} search
 * @property {JobOrder} order
 * @property {boolean} is_ascending
 * @property {number} page  from 1
 * @typedef {JobQuery & {rows: JobRow[], counts: Record<string, number>, matching: number, total: number,
 *   pages: number, note: string | null, is_simulated: boolean, sent_at_s: number | null}} JobList
 *   Mirrors `JobList.to_json` in cards/job_list.py.
 */

/** @type {JobList} */
const EMPTY_JOBS = {
  state: null, search: "", order: "when", is_ascending: false, page: 1, rows: [], counts: {}, matching: 0,
  total: 0, pages: 1, note: null, is_simulated: false, sent_at_s: null,
};

const MOST_TOLD = 10_000; // as in cards/job_list.py: the kernel counts no further

/** The phase whose sign a state has. @type {Record<string, Phase>} */
const PHASE_OF_STATE = {
  queued: "queued", in_progress: "running", completed: "completed", failed: "failed", sending: "starting",
  "unknown outcome": "unknown", refused: "broken",
};

/** @param {string} state */
const stateText = (state) =>
  /** @type {Record<string, string>} */ (WORDS.job_states)[state] ?? capital(state.replaceAll("_", " "));

/** @param {number} count */
const boundedText = (count) =>
  count > MOST_TOLD ? `${MOST_TOLD.toLocaleString("en")}+` : count.toLocaleString("en");

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** How long ago: `2 h ago`, from two weeks on the day. @param {number | null} at_s @param {number} now_s */
function agoText(at_s, now_s) {
  if (at_s === null) return "–";
  const ago_s = now_s - at_s;
  const [at, now] = [new Date(at_s * 1000), new Date(now_s * 1000)];
  if (ago_s < -60 || ago_s >= 14 * 86400) {
    return (at.getFullYear() === now.getFullYear() ? DAY : DAY_OF_YEAR).format(at);
  }
  if (ago_s < 45) return "just now";
  if (ago_s < 3600) return `${Math.max(1, rounded(ago_s / 60))} min ago`;
  return ago_s < 36 * 3600 ? `${rounded(ago_s / 3600)} h ago` : `${rounded(ago_s / 86400)} days ago`;
}

/** Where `search` stands in `text`, whatever the case of its letters; null = nowhere.
 * @param {string} text @param {string} search @returns {[number, number] | null} */
function foundAt(text, search) {
  const wanted = search.toLowerCase();
  const folded = text.toLowerCase();
  const at = wanted ? folded.indexOf(wanted) : -1;
  // Where lower case has another length (İ), the place would be a guess.
  return at < 0 || folded.length !== text.length ? null : [at, at + wanted.length];
}

const LEAD_CHARACTERS = 60;

/** A text that begins shortly before what was found, where that would lie beyond the lines shown.
 * @param {string} text @param {string} search */
function aroundFound(text, search) {
  const at = foundAt(text, search)?.[0] ?? 0;
  if (at < 3 * LEAD_CHARACTERS) return text;
  const begin = text.lastIndexOf(" ", at - LEAD_CHARACTERS) + 1 || at - LEAD_CHARACTERS;
  return `…${text.slice(Math.max(begin, at - 2 * LEAD_CHARACTERS))}`;
}
