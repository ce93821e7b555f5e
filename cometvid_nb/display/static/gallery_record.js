/**
 * Puts the live gallery in the place of its record for as long as the page has its model. The file
 * holds the record alone, so a notebook that is opened without its kernel never misses a widget; and
 * where the kernel lives, also after the page was reloaded, nothing of the live gallery is lost.
 */

/** @param {{model: CometvidModel}} context @returns {() => void} what ends it, with the model */
function greetGallery({ model }) {
  const part = greet({ model });
  const controller = new AbortController();
  const { signal } = controller;
  signal.addEventListener("abort", part);
  followJobs(model, "gallery", signal);
  const token = /** @type {string} */ (model.get("record_token"));
  const isOurs = (/** @type {EventTarget | null} */ node) =>
    node instanceof HTMLElement && Boolean(token) && node.dataset["cometvidRecord"] === token;

  /** @type {Map<HTMLElement, () => void>} */
  const views = new Map();
  /** @param {HTMLElement} root */
  const take = (root) => {
    const still = /** @type {HTMLElement | null} */ (root.querySelector(".cometvid-still"));
    if (!still || still.hidden) return;
    still.hidden = true;
    for (const video of still.querySelectorAll("video")) video.pause();
    root.dispatchEvent(new Event(RECORD_TAKEN));
    // The live gallery brings its own frame, and its lists and codes are not those of a text.
    root.style.cssText = "";
    root.closest(".jp-RenderedHTMLCommon")?.classList.remove("jp-RenderedHTMLCommon");
    const box = h("div", "live-again");
    root.append(box);
    for (const [old, end] of views) {
      if (old.isConnected) continue;
      end(); // its record was drawn anew
      views.delete(old);
    }
    views.set(box, renderGallery({ model, el: box, signal }));
  };

  // A notebook that is closed and opened again is drawn anew in this page; its kernel may have ended.
  const taking = new AbortController();
  signal.addEventListener("abort", () => taking.abort());
  watchKernel(model, document.body, taking.signal, (loss) => { if (loss === "stopped") taking.abort(); });
  document.addEventListener(RECORD_SHOWN, (event) => {
    if (!isOurs(event.target)) return;
    event.preventDefault();
    take(/** @type {HTMLElement} */ (event.target));
  }, { signal: taking.signal });
  for (const root of document.querySelectorAll("[data-cometvid-record]")) {
    if (isOurs(root)) take(/** @type {HTMLElement} */ (root));
  }
  return () => controller.abort();
}
