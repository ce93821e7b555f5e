/**
 * What a card is, and the words and shapes that show it.
 *
 * The parts of static/ are plain scripts, joined in the order that widget.py gives (anywidget
 * loads one Blob URL, where relative imports fail); they see one another's names. `join` puts the
 * table WORDS before them, from cards/words.json. The functions here that have a twin in
 * cards/text.py (`clockText` and `clock_text`) use the same words of the table for the same card.
 *
 * @typedef {object} Clip  Mirrors `Clip` in cards/clip.py.
 * @property {string | null} url
 * @property {string | null} path
 * @property {string | null} saved_to
 * @property {number | null} expires_at_s
 * @property {string | null} [data_url]  the whole clip, in a page that has no kernel to ask
 * @property {string | null} [place]  where it lies, as the kernel names it
 * @property {boolean} [is_image]  a GIF or the like, which no player plays
 * @property {string | null} [codec]  its name, where most browsers do not play it
 * @property {number} [number]  its place among the clips that the job made
 * @property {Clip[]} [others]  the further clips of the job
 * @typedef {"starting" | "queued" | "running" | "unknown" | "completed" | "failed" | "stopped"
 *   | "gave_up" | "broken"} Phase
 * @typedef {"stop" | "watch"} Action
 * @typedef {object} Rating  Mirrors `Rating` in job/rating.py.
 * @property {number | null} stars  1 to 5
 * @property {"picked" | "rejected" | null} flag
 * @property {string[]} tags
 * @property {string | null} note
 * @typedef {object} Card  Mirrors `Card.to_json` in cards/card.py; times are unix seconds.
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
 * @property {string | null} watch_command  the line to paste that watches the job again
 * @property {Action[]} actions
 * @property {boolean} is_simulated
 * @property {Clip | null} clip
 * @property {{received_bytes: number, total_bytes: number | null, attempt?: number,
 *   problem?: string | null, number?: number, count?: number} | null} saving  problem: why the try
 *   before this one ended; number: which of the job's clips it is, of `count`
 * @property {string | null} note  one quiet sentence about the job
 * @property {boolean} can_repeat  whether another take may be asked for, which costs money
 * @property {string | null} model  the one of `facts` that is shown as a badge
 * @property {string | null} seed
 * @property {string | null} picture  stands behind the card while the job is on its way: a data URL
 * @property {Rating | null} rating  what a person thinks of the clip
 * @property {string | null} typed_id  the id as it is typed in a `%cometvid` line
 * @property {number | null} sent_at_s  the kernel's clock when it sent this card
 */

const MOST_STARS = 5;
/** The same as `Rating.words` in job/rating.py. @param {Rating} rating */
function ratingText({ stars, flag, tags, note }) {
  const row = stars ? "★".repeat(stars) + "☆".repeat(MOST_STARS - stars) : "";
  return [row, flag, ...tags.map((tag) => `#${tag}`), note ? `“${note.replace(/\s+/g, " ")}”` : ""].filter(Boolean).join(" · ");
}

/** A notebook host may hand over a model without a card yet. @type {Card} */
const EMPTY_CARD = {
  phase: "starting", job_id: "", headline: WORDS.headlines.starting, facts: [], prompt: null,
  progress_percent: null, aspect_ratio: 16 / 9, elapsed_from_s: null, elapsed_to_s: null,
  checks_at_s: [], remaining_s: null, problem: null, advice: null, command: null, watch_command: null, actions: [],
  is_simulated: false, clip: null, saving: null, note: null, can_repeat: false,
  model: null, seed: null, picture: null, rating: null, typed_id: null, sent_at_s: null,
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
/** What each button says, and what it says until the kernel has done it. @type {Record<Action | "again", [string, string]>} */
const LABELS = { stop: ["Stop watching", "Stopping…"], watch: ["Watch again", "Starting…"],
  again: ["Another take", "Creating…"] };

const COSTS = "Creates one more job of this request; that costs money at the real API";

/** What both a card's buttons and a gallery's controls wait for where the kernel is busy with a cell. */
const BUSY = "waiting for the running cell to finish";
const DISCONNECTED = "No connection to the kernel. This is what was known last.";

/** Words of the table with their `{names}` filled in.
 * @param {string} words @param {Record<string, unknown>} values */
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** Words of the table as they begin a line. @param {string} words */
const capital = (words) => words.slice(0, 1).toUpperCase() + words.slice(1);

/** To the nearest integer, a half upwards. @param {number} number */
const rounded = (number) => Math.floor(number + 0.5);

/** `1:05`, from an hour on `1:00:05`. @param {number} duration_s */
function clockText(duration_s) {
  const total_s = Math.max(0, Math.floor(duration_s));
  const [hours, minutes] = [Math.floor(total_s / 3600), Math.floor(total_s / 60) % 60];
  const seconds = String(total_s % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** How many jobs: `1,000 jobs`. @param {number} count */
const countText = (count) =>
  fill(count === 1 ? WORDS.jobs.one : WORDS.jobs.many, { count: count.toLocaleString("en") });

/** A progress as a whole number of percent: `45%`. @param {number} percent */
const percentText = (percent) =>
  fill(WORDS.percent, { percent: rounded(Math.min(100, Math.max(0, percent))) });

/** For how long the job has been on its way, or how long it took. @param {Card} card @param {number} now_s */
function elapsedText({ phase, elapsed_from_s, elapsed_to_s }, now_s) {
  const isActive = ACTIVE_PHASES.has(phase);
  const kind = isActive ? "running" : phase === "completed" || phase === "failed" ? "ended" : "left";
  const to_s = isActive ? now_s : elapsed_to_s;
  if (elapsed_from_s === null || to_s === null) return "";
  return fill(WORDS.elapsed[kind], { clock: clockText(to_s - elapsed_from_s) });
}

/** How long it will still take, never finer than the estimate is; empty where none holds.
 * @param {Card} card @param {number} now_s */
function remainingText({ remaining_s, checks_at_s }, now_s) {
  if (!remaining_s) return "";
  const passed_s = now_s - (checks_at_s[0] ?? now_s);
  const isFresh = passed_s * 2 < remaining_s[1];
  const [low_s, high_s] = [remaining_s[0] - passed_s, remaining_s[1] - passed_s];
  if (high_s <= 0) return "";
  // Counted down from far away, "a few seconds" would be a promise that nobody made.
  if (high_s < 8) return isFresh ? WORDS.remaining.few : "";
  const [step_s, unit, grain] = high_s < 100 ? [1, "s", 5] : [60, "min", 1];
  const coarsely = (/** @type {number} */ duration_s) => rounded(duration_s / step_s / grain) * grain;
  const [low, high, middle] = [coarsely(low_s), coarsely(high_s), coarsely((low_s + high_s) / 2)];
  const isNarrow = low_s > high_s * 0.75 || low === high;
  const kind = low <= 0 ? "under" : isNarrow ? "about" : "between";
  return fill(WORDS.remaining[kind], { low, high, middle, unit });
}

/** `3.1 of 8.0 MB`. @param {number} received_bytes @param {number | null} total_bytes */
function bytesText(received_bytes, total_bytes) {
  const isSmall = (total_bytes || received_bytes) < 1e6;
  // Rounded by hand: `toFixed` and Python's `round` differ where a number is half way.
  const amount = (/** @type {number} */ bytes) =>
    isSmall ? String(rounded(bytes / 1e3)) : (rounded(bytes / 1e5) / 10).toFixed(1);
  return fill(total_bytes ? WORDS.bytes.part : WORDS.bytes.some, {
    received: amount(received_bytes), total: amount(total_bytes ?? 0), unit: isSmall ? "kB" : "MB",
  });
}

/** How far the saving of a clip has come, and why it had to begin anew.
 * @param {NonNullable<Card["saving"]>} saving */
function savingText({ received_bytes, total_bytes, attempt = 1, problem, number = 1, count = 1 }) {
  const amount = received_bytes || total_bytes ? bytesText(received_bytes, total_bytes) : "";
  const words = amount ? fill(WORDS.saving.amount, { amount }) : WORDS.saving.begun;
  const which = count > 1 ? fill(WORDS.saving.which, { number, count }) : "";
  const retry = attempt > 1 ? [fill(WORDS.saving.retry, { attempt }), problem] : [];
  return [words, which, ...retry].filter(Boolean).join(" · ");
}

// ---- what only a page tells: it ticks, so its words may hold for a moment

/** One coarse unit: `7 s`, `4 min`, `2 h`. @param {number} duration_s */
function coarseText(duration_s) {
  if (duration_s < 59.5) return `${Math.round(duration_s)} s`;
  return duration_s < 5400 ? `${Math.round(duration_s / 60)} min` : `${Math.round(duration_s / 3600)} h`;
}

/** When was the job checked, and when will it be? @param {number[]} checks_at_s @param {number} now_s */
function checksText(checks_at_s, now_s) {
  const past = checks_at_s.filter((at_s) => at_s <= now_s);
  const future = checks_at_s.filter((at_s) => at_s > now_s);
  const next = future.length ? `next check in ${coarseText(Math.max(1, Math.min(...future) - now_s))}` : "";
  if (!past.length) return next;
  const ago_s = now_s - Math.max(...past);
  // Past a planned time the kernel is asking right now; it is silent when nothing changed.
  if (past.length > 1 && ago_s < (next ? 1 : 60)) return "checking now…";
  if (past.length > 1 && !next) return `no news for ${coarseText(ago_s)}`;
  const ago = ago_s < 1 ? "just now" : `${coarseText(Math.floor(ago_s))} ago`;
  return [`checked ${ago}`, next].filter(Boolean).join(" · ");
}

/** Where the clip is kept, or for how long its link will work.
 * @param {Card} card @param {number} now_s @param {boolean} isRelayed  the bytes came through the kernel */
function placeText({ clip, saving }, now_s, isRelayed) {
  if (saving) return savingText(saving);
  const places = clip ? [clip, ...clip.others ?? []].flatMap(({ saved_to }) => saved_to ?? []) : [];
  if (places.length) return fill(WORDS.saved, { place: places.join(", ") });
  // How long the link lives is beside the point: it did not play here.
  if (isRelayed) return `${WORDS.not_saved} · came through the kernel, its link can't be played here`;
  if (!clip?.expires_at_s) return "";
  const left_s = clip.expires_at_s - now_s;
  return left_s > 0 ? `link lives for ${coarseText(left_s)}` : "the link has expired";
}
