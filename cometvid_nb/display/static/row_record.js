/**
 * Puts the row of actions into the settled records of a job, for as long as the page has its model:
 * a record is what stays of a card, and its kernel can still be told what somebody thinks of the clip.
 */

const CARD_RECORD_SHOWN = "cometvid-card-record"; // said by cards/card_record.js

/** A card's model begins, with a view or without. @param {{model: CometvidModel}} context @returns {() => void} */
function greetCard({ model }) {
  const part = greet({ model });
  const controller = new AbortController();
  const { signal } = controller;
  signal.addEventListener("abort", part);
  followJobs(model, "card", signal);
  /** @typedef {{video: HTMLVideoElement, row: HTMLElement, draw: () => void, end: () => void}} Row
   * @type {Map<HTMLElement, Row>} */
  const rows = new Map();
  const told = () => ({ ...EMPTY_CARD, .../** @type {Card} */ (model.get("card")) });
  const ratings = createRatings((content) => model.send(content), () => draw());
  const draw = () => { for (const { draw: drawRow } of rows.values()) drawRow(); };

  /** @param {HTMLElement} record */
  const take = (record) => {
    const seat = /** @type {HTMLElement | null} */ (record.querySelector(".cometvid-actions-seat"));
    const video = record.querySelector("video");
    if (!seat || !video || rows.has(seat) || video.title !== told().job_id || record.closest(".cometvid-beside")) return;
    const before = [...rows].find(([old]) => !old.isConnected);
    const own = new AbortController();
    video.loop = true;
    const actions = createActions({
      video, keys: record, isSmall: false, card: () => ratings.merged(told()),
      clip: () => clipsOf(told())[0] ?? null, source: async () => video.currentSrc || video.src,
      rate: (rating) => ratings.rate(told().job_id, ratingOf(told()), rating), isAlive: () => true,
    }, own.signal);
    const box = h("div", "root", {}, actions.root);
    const [still, style] = [[...seat.childNodes], seat.style.cssText];
    seat.style.cssText = "";
    seat.replaceChildren(box);
    keepKeys(box, own.signal);
    box.addEventListener("focusin", ({ target }) => {
      for (const node of box.querySelectorAll("[data-focused]")) node.removeAttribute("data-focused");
      /** @type {HTMLElement} */ (target).dataset["focused"] = "true";
    }, { signal: own.signal });
    video.addEventListener("play", () => { video.muted = SHARED.isMuted; }, { signal: own.signal });
    video.addEventListener("volumechange", () => { SHARED.isMuted = video.muted; }, { signal: own.signal });
    rows.set(seat, { video, row: box, draw: actions.draw, end: () => {
      own.abort();
      seat.replaceChildren(...still);
      seat.style.cssText = style;
    } });
    actions.draw();
    if (before) succeed(before[1], { video, row: box });
    if (before) rows.delete(before[0]);
  };

  for (const record of document.querySelectorAll(".cometvid-record")) take(/** @type {HTMLElement} */ (record));
  document.addEventListener(CARD_RECORD_SHOWN, (event) => {
    for (const record of /** @type {HTMLElement} */ (event.target).querySelectorAll(".cometvid-record")) take(/** @type {HTMLElement} */ (record));
  }, { signal });
  listen(model, "change:card", draw, signal);
  const end = () => {
    controller.abort();
    for (const { end: endRow } of rows.values()) endRow();
    rows.clear();
  };
  watchKernel(model, document.body, signal, (loss) => { if (loss === "stopped") end(); });
  return end;
}

/** A record drawn anew goes on where the one before it was, with the focus on the same button.
 * @param {{video: HTMLVideoElement, row: HTMLElement, end: () => void}} before
 * @param {{video: HTMLVideoElement, row: HTMLElement}} now */
function succeed(before, { video, row }) {
  const buttons = (/** @type {HTMLElement} */ one) => [...one.querySelectorAll("button")];
  const focused = buttons(before.row).find((node) => node.dataset["focused"]);
  video.currentTime = before.video.currentTime;
  video.defaultPlaybackRate = video.playbackRate = before.video.defaultPlaybackRate;
  video.muted = SHARED.isMuted;
  if (!before.video.paused) play(video);
  if (document.activeElement === document.body) buttons(row).find(({ title }) => title === focused?.title)?.focus({ preventScroll: true });
  before.end();
}
