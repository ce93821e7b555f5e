/**
 * What a card is, and the words and shapes it is told in.
 *
 * The parts of static/ are plain scripts, joined in the order that widget.py gives (anywidget
 * loads one Blob URL, where relative imports fail); they see one another's names.
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
 * @property {{received_bytes: number, total_bytes: number | null, attempt?: number,
 *   problem?: string | null} | null} saving  problem: why the try before this one ended
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
  const isFresh = passed_s * 2 < (card.remaining_s[1] ?? 0);
  const [low_s, high_s] = card.remaining_s.map((duration_s) => duration_s - passed_s);
  if (low_s === undefined || high_s === undefined || high_s <= 0) return "";
  // Counted down from far away this would be a promise that nobody made.
  if (high_s < 8) return isFresh ? "a few seconds left" : "";
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
  if (saving) {
    const retry = (saving.attempt ?? 1) > 1 ? [`try ${saving.attempt}`, saving.problem] : [];
    return [`Saving ${bytesText(saving.received_bytes, saving.total_bytes)}`, ...retry].filter(Boolean).join(" · ");
  }
  if (clip?.saved_to) return `Saved to ${clip.saved_to}`;
  // What the link promises is beside the point: it did not play here.
  if (isRelayed) return "not saved · came through the kernel, its link can't be played here";
  if (!clip?.expires_at_s) return "";
  const left_s = clip.expires_at_s - now_s;
  return left_s > 0 ? `link lives for ${coarse(left_s)}` : "the link has expired";
}
