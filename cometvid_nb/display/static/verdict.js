/** Stars, pick and reject: the buttons that say what somebody thinks of a clip. */

const STAR = "M8 1.9l1.85 3.9l4.25.55l-3.1 2.95l.8 4.2L8 11.4l-3.8 2.1l.8-4.2L1.9 6.35l4.25-.55z";

/** @param {string} name @param {string} label @param {string} shape */
const act = (name, label, shape) => iconButton(`act ${name}`, label, shape).node;

/** Every node, built once. */
function buildVerdict() {
  const stars = Array.from({ length: MOST_STARS }, (_, index) =>
    act("star", `${index + 1} star${index ? "s" : ""} (${index + 1})`, STAR));
  return {
    stars, pick: act("pick", "Pick (P)", PICK), reject: act("reject", "Reject (X)", CROSS),
    starRow: h("span", "stars", { role: "group", "aria-label": "Stars" }, ...stars),
  };
}

/**
 * @param {ReturnType<typeof buildVerdict>} ui @param {() => Rating} now
 * @param {(rating: Rating) => void} rate @param {AbortSignal} signal
 * @returns {() => void} what draws the rating as it is now
 */
function createVerdict(ui, now, rate, signal) {
  ui.stars.forEach((node, index) => node.addEventListener("click", () => rate(withStars(now(), index + 1)), { signal }));
  ui.pick.addEventListener("click", () => rate(withFlag(now(), "picked")), { signal });
  ui.reject.addEventListener("click", () => rate(withFlag(now(), "rejected")), { signal });
  return () => {
    const { stars, flag } = now();
    ui.stars.forEach((node, index) => {
      node.setAttribute("aria-pressed", String(index + 1 === stars));
      node.classList.toggle("cometvid-is-full", index < (stars ?? 0));
    });
    ui.pick.setAttribute("aria-pressed", String(flag === "picked"));
    ui.reject.setAttribute("aria-pressed", String(flag === "rejected"));
  };
}
