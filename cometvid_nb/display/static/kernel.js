/** What the page can tell of the kernel behind a card. */

const PULL_AGAIN_MS = 60_000; // a question that a running cell keeps waiting is not repeated sooner

/**
 * Tell the kernel that this page has our module, also where the cell is out of sight; where no
 * page does, `Page` of display/page.py shows plain HTML instead. JupyterLab tells of a notebook
 * whether several people may have it open at once.
 * @param {{model: CometvidModel}} context  returns what ends it
 */
function greet({ model }) {
  const controller = new AbortController();
  model.send({ kind: "loaded", is_shared: model.widget_manager?.context?.model?.collaborative === true });
  const every_ms = 1000 * Number(model.get("pull_every_s"));
  if (every_ms > 0) keepPulling(model, every_ms, controller.signal);
  return () => controller.abort();
}

/**
 * Ask for news as long as there may be any: a front end such as Colab's may lose what the kernel
 * sends by itself, and hands on the answer to a question. One question at a time.
 * @param {CometvidModel} model @param {number} every_ms @param {AbortSignal} signal
 */
function keepPulling(model, every_ms, signal) {
  const pull = () => {
    cancel();
    cancel = after(PULL_AGAIN_MS, pull, signal);
    model.send({ kind: "pull" });
  };
  let cancel = after(every_ms, pull, signal);
  listen(model, "msg:custom", (/** @type {any} */ content) => {
    if (content?.kind !== "pulled") return;
    cancel();
    cancel = content.is_over ? () => {} : after(every_ms, pull, signal);
  }, signal);
}

/**
 * Tell when the kernel that watches is gone, so that no card pretends to go on.
 * anywidget's proxied model still passes the base model's events on ("comm_live_update" is fired
 * by ipywidgets when a kernel restarts) and carries the widget manager; the rest is optional.
 * @param {CometvidModel} model @param {HTMLElement} el @param {AbortSignal} signal
 * @param {(loss: Loss) => void} onChange
 * @typedef {"" | "stopped" | "disconnected"} Loss
 */
function watchKernel(model, el, signal, onChange) {
  const stopped = () => onChange("stopped");
  for (const name of ["comm_live_update", "comm:close"]) listen(model, name, stopped, signal);
  /** @param {LuminoSignal | undefined} source @param {(sender: unknown, status: string) => void} slot */
  const connect = (source, slot) => {
    if (typeof source?.connect !== "function") return;
    source.connect(slot);
    signal.addEventListener("abort", () => source.disconnect?.(slot));
  };
  const kernel = model.widget_manager?.kernel;
  connect(kernel?.disposed, stopped);
  connect(kernel?.statusChanged, (_, status) => {
    if (["dead", "restarting", "autorestarting", "terminating"].includes(status)) stopped();
  });
  connect(kernel?.connectionStatusChanged, (_, status) => {
    if (status === "connected") onChange("");
    if (status === "disconnected") onChange("disconnected");
  });
  // A page that `marimo export` has made holds what was last known, and no kernel.
  if ("__MARIMO_STATIC__" in globalThis) stopped();
  // Set by ipywidgets on a view whose model came from the file and has no kernel behind it.
  if (el.classList.contains("jupyter-widgets-disconnected")) stopped();
}

/** What can still be said of a card without its kernel.
 * @param {Card} card @param {Loss} loss @param {number} lost_at_s @returns {Card} */
function withoutKernel(card, loss, lost_at_s) {
  if (!loss) return card;
  card = { ...card, can_repeat: false };
  const isActive = ACTIVE_PHASES.has(card.phase);
  if (!isActive) return { ...card, saving: null, actions: [] };
  if (loss === "disconnected") {
    return { ...card, checks_at_s: [], remaining_s: null, actions: [],
      problem: DISCONNECTED, advice: null };
  }
  return { ...card, phase: "broken", headline: "No longer watched", actions: [],
    elapsed_to_s: lost_at_s, problem: "The kernel stopped; the job itself goes on. Watch it again:",
    advice: null, command: card.command ?? card.watch_command };
}
