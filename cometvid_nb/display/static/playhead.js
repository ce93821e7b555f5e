/** The controls of clips that play as one: restart, a frame back and on, and where they stand. */

/** Every node, built once. @param {string} restart  what the button says @param {string} position */
function buildPlayhead(restart, position) {
  return {
    restart: iconButton("icon-button", restart, "M3.2 8a4.8 4.8 0 1 0 1.5-3.5M4.4 1.9v2.9h2.9").node,
    back: iconButton("icon-button", "One frame back", FRAME_BACK).node,
    on: iconButton("icon-button", "One frame on", FRAME_ON).node,
    seek: h("input", "seek", { type: "range", min: "0", max: "0", step: "any", value: "0", "aria-label": position }),
    time: h("span", "time"),
  };
}

/** @param {ReturnType<typeof buildPlayhead>} ui @param {ReturnType<typeof createSync>} sync @param {AbortSignal} signal */
function createPlayhead(ui, sync, signal) {
  let isDragging = false;
  ui.restart.addEventListener("click", () => sync.restart(), { signal });
  ui.back.addEventListener("click", () => sync.step(-1), { signal });
  ui.on.addEventListener("click", () => sync.step(1), { signal });
  ui.seek.addEventListener("input", () => {
    isDragging = true;
    sync.seek(Number(ui.seek.value));
  }, { signal });
  ui.seek.addEventListener("change", () => { isDragging = false; draw(0); }, { signal });
  ui.seek.addEventListener("keydown", (event) => {
    const frames = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!frames) return;
    event.preventDefault(); // step "any" would move by a hundredth of the whole
    sync.step(frames);
  }, { signal });

  /** @param {number} count  how many clips take part */
  function draw(count) {
    const [at_s, duration_s] = [sync.clock_s(), sync.duration_s()];
    const max = duration_s.toFixed(3);
    if (ui.seek.max !== max) ui.seek.max = max;
    if (!isDragging) ui.seek.value = String(at_s);
    const ready = sync.readyCount();
    const text = `${at_s.toFixed(2)} / ${duration_s.toFixed(2)} s`;
    say(ui.time, sync.isWaiting() && ready < count ? `loading ${ready} of ${count}…` : text);
    ui.seek.setAttribute("aria-valuetext", `${at_s.toFixed(1)} of ${duration_s.toFixed(1)} seconds`);
  }
  return { draw, letGo() { isDragging = false; } };
}
