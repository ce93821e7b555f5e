/** What the page can tell of the kernel behind a card. */

/**
 * Tell the kernel that this page has our module, also where the cell is out of sight; where no
 * page does, `Page` of display/page.py shows plain HTML instead. JupyterLab tells of a notebook
 * whether several people may have it open at once.
 * @param {{model: CometvidModel}} context
 */
function greet({ model }) {
  model.send({ kind: "loaded", is_shared: model.widget_manager?.context?.model?.collaborative === true });
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
