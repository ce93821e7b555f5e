/** What a person thinks of clips: shown at once, and kept by the kernel. */

/** @type {Rating} */
const EMPTY_RATING = { stars: null, flag: null, tags: [], note: null };
const PICK = "M2.8 8.6l3.4 3.4l7-7.4";

/** @param {{rating?: Rating | null}} card @returns {Rating} */
const ratingOf = ({ rating }) => ({ ...EMPTY_RATING, ...rating });

/** What a rating says beside its flag, in words: `3 of 5 stars, tags: sky, hero, note: “…”`. @param {Rating} rating */
const givenText = ({ stars, tags, note }) => [stars ? `${stars} of ${MOST_STARS} stars` : "",
  tags.length ? `${tags.length > 1 ? "tags" : "tag"}: ${tags.join(", ")}` : "", note ? `note: “${note.replace(/\s+/g, " ")}”` : ""]
  .filter(Boolean).join(", ");

/** @param {Rating} one @param {Rating} other */
const isSameRating = (one, other) => ["stars", "flag", "tags", "note"].every((name) =>
  JSON.stringify(one[/** @type {keyof Rating} */ (name)]) === JSON.stringify(other[/** @type {keyof Rating} */ (name)]));

/**
 * What was asked for and is not confirmed yet stands before what the kernel said last.
 * @param {(content: object) => void} send @param {() => void} onChange
 */
function createRatings(send, onChange) {
  /** @type {Map<string, {wanted: Rating, before: Rating}>} */
  const pending = new Map();
  return {
    /** @param {string} jobId @param {Rating} before  what the kernel said last @param {Rating} wanted */
    rate(jobId, before, wanted) {
      pending.set(jobId, { wanted, before: pending.get(jobId)?.before ?? before });
      send({ kind: "rate", job_id: jobId, rating: wanted });
      onChange();
    },
    /** The card as it is going to be. @template {Card} C @param {C} card @returns {C} */
    merged(card) {
      const asked = pending.get(card.job_id);
      if (!asked) return card;
      const said = ratingOf(card);
      // The kernel's word counts as soon as it is another one than before.
      if (!isSameRating(said, asked.before) || isSameRating(asked.wanted, said)) {
        pending.delete(card.job_id);
        return card;
      }
      return { ...card, rating: asked.wanted };
    },
    isPending: () => pending.size > 0,
    /** Nobody is there to keep them. */
    drop() { pending.clear(); },
  };
}

/** What a key makes of a rating; null = nothing. @param {KeyboardEvent} event @param {Rating} rating
 * @returns {Rating | null} */
function ratedByKey(event, rating) {
  const node = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || node.matches("textarea, select, input")) return null;
  const key = event.key.toLowerCase();
  if (key >= "0" && key <= String(MOST_STARS) && key.length === 1) return withStars(rating, Number(key));
  if (key === "p") return withFlag(rating, "picked");
  return key === "x" ? withFlag(rating, "rejected") : null;
}

/** The tags that somebody has typed, each once and as the kernel keeps them. @param {string} text */
function tagsIn(text) {
  const tags = text.split(",").map((tag) => tag.trim().replace(/^#+/, "").trim().slice(0, 40)).filter(Boolean);
  return tags.filter((tag, index) => tags.findIndex((one) => one.toLowerCase() === tag.toLowerCase()) === index).slice(0, 20);
}

/** The same stars again take them away, and so does 0. @param {Rating} rating @param {number} stars @returns {Rating} */
const withStars = (rating, stars) => ({ ...rating, stars: stars === 0 || stars === rating.stars ? null : stars });

/** @param {Rating} rating @param {"picked" | "rejected"} flag @returns {Rating} */
const withFlag = (rating, flag) => ({ ...rating, flag: rating.flag === flag ? null : flag });

/** The options of `%cometvid rate` that give this rating, whatever it was before. @param {Rating} rating */
function rateOptions({ stars, flag, tags, note }) {
  // Single quotes keep everything but themselves, as in a shell.
  const quoted = (/** @type {string} */ text) => `'${text.replace(/\s+/g, " ").replaceAll("'", `'"'"'`)}'`;
  return ["--clear", stars ? `--stars ${stars}` : "", flag ? `--${flag === "picked" ? "pick" : "reject"}` : "",
    ...tags.map((tag) => `--tag ${quoted(tag)}`), note ? `--note ${quoted(note)}` : ""].filter(Boolean).join(" ");
}
