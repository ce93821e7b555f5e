/**
 * The live card of one job: it draws the Card of cards/card.py, ticks between messages,
 * and becomes the player, in place, once there is a clip.
 */

const GLIDE_MS = 400; // slow enough for the eye to follow
const BUSY_AFTER_MS = 1500; // a click unanswered by then waits for the running cell

/** Every node of a card, built once. */
function build() {
  const auto = { dir: "auto" };
  const [screenIcon, rowIcon] = [icon(), icon()];
  const ui = {
    screenIcon: screenIcon.path, rowIcon: rowIcon.path,
    screenHeadline: h("span", "", auto), rowHeadline: h("span", "", auto),
    percent: h("div", "percent", { "aria-hidden": "true" }), sky: h("div", "sky", { "aria-hidden": "true" }),
    picture: h("img", "picture", { alt: "" }),
    ...buildPlayer("button on-screen retry", "waits until the running cell has finished"),
    fill: h("div", "fill"), elapsed: h("span", "elapsed", { title: "Elapsed time", ...auto }),
    remaining: h("span", "remaining", auto), timing: h("p", "timing"),
    stop: button("button stop", LABELS.stop[0]), watch: button("button button-strong watch", LABELS.watch[0]),
    again: h("button", "button again", { type: "button", title: COSTS }), note: h("p", "note", auto),
    problem: h("p", "problem", auto), advice: h("p", "advice", auto),
    command: h("code", "command", { dir: "ltr" }), copy: button("button button-small copy", "Copy"),
    outputs: h("div", "outputs", { role: "group", "aria-label": "Clips of this job" }),
    prompt: h("p", "prompt", auto), more: button("more", "more"), facts: h("ul", "facts"),
    id: h("code", "id", { dir: "ltr" }), place: h("span", "place", auto), saved: h("div", "saved-fill"),
    actions: h("div", "actions-seat"), ratingNote: h("p", "rating-note", auto),
    live: h("div", "live", { "aria-live": "polite", role: "status" }),
  };
  const overlay = h("div", "overlay", {}, h("div", "state", {}, screenIcon.svg, ui.screenHeadline), ui.percent);
  const bar = h("div", "bar", {
    role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100",
  }, ui.fill);
  const screen = h("div", "screen", {}, ui.sky, overlay, ui.messageBox, bar);
  const status = h("span", "state", {}, rowIcon.svg, ui.rowHeadline);
  const commandRow = h("div", "command-row", {}, ui.command, ui.copy);
  const notice = h("div", "notice", {}, ui.problem, ui.advice, commandRow);
  const savedBar = h("div", "saved-bar", { "aria-hidden": "true" }, ui.saved);
  const body = h("div", "body", {}, ui.actions,
    h("div", "row", {}, status, ui.elapsed, ui.remaining, h("span", "buttons", {}, ui.stop, ui.watch, ui.again)),
    ui.outputs, ui.timing, ui.note, notice, h("div", "prompt-box", {}, ui.prompt, ui.more), ui.facts, ui.ratingNote,
    h("div", "footer", {}, ui.id, ui.place), savedBar);
  const layout = h("div", "layout", {}, screen, body, ui.live);
  const root = h("section", "root card", {}, layout);
  return { ...ui, root, layout, body, screen, overlay, bar, status, notice, commandRow, savedBar };
}

/** @param {{model: CometvidModel, el: HTMLElement, signal?: AbortSignal, clock?: ReturnType<typeof createClock>,
 *   keys?: HTMLElement}} context  keys: what stands around it, whose keys are the card's as well */
function renderCard({ model, el, signal: viewSignal, clock = createClock(), keys }) {
  const controller = new AbortController();
  const { signal } = controller;
  const ui = build();
  const player = createPlayer(ui, model, signal, () => tick(), (ratio) => { ownRatio = ratio; reshape(); });
  const ratings = createRatings((content) => model.send(content), () => {
    cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = ratings.isPending(); tick(); }, signal);
    refresh();
  });
  const actions = createActions({
    video: ui.video, keys: keys ?? ui.root, isSmall: false, card: () => shown, clip: player.clip, source: player.source,
    rate: (rating) => ratings.rate(card.job_id, ratingOf(card), rating), isAlive: () => loss === "",
  }, signal);
  let ownRatio = 0; // of the clip that is loaded; 0 = not known yet
  let [card, shown] = [EMPTY_CARD, EMPTY_CARD];
  const bell = createBell(() => keyOfJob(shown.job_id), signal);
  ui.actions.append(bell.node, actions.root);
  let [lost_at_s, announced, isBusy] = [0, "", false];
  let loss = /** @type {Loss} */ ("");
  let pending = /** @type {Action | "again" | null} */ (null);
  let [cancelTick, cancelBusy] = [() => {}, () => {}];

  /** What moves without a message; asks for the next tick only while something does. */
  function tick() {
    cancelTick();
    const at_s = clock.now_s();
    const isActive = ACTIVE_PHASES.has(shown.phase);
    say(ui.elapsed, elapsedText(shown, at_s));
    say(ui.remaining, isActive ? remainingText(shown, at_s) : "");
    say(ui.timing, isBusy ? BUSY
      : isActive ? checksText(shown.checks_at_s, at_s) : "");
    say(ui.place, placeText(shown, at_s, player.isRelayed()));
    const isExpiring = Boolean(shown.clip?.expires_at_s) && !shown.clip?.saved_to;
    if (document.hidden || !(isActive || isExpiring)) return;
    const phase_ms = ((at_s - (shown.elapsed_from_s ?? 0)) * 1000) % 1000;
    cancelTick = after(isActive ? 1010 - Math.max(0, phase_ms) : 30_000, tick, signal);
  }

  /**
   * Give the screen the shape of the clip, which may not be the one that was asked for; what stands
   * beneath the card then glides to its place.
   * @param {number} [height_px] of the card as it was seen last
   */
  function reshape(height_px = ui.layout.offsetHeight) {
    const told = shown.phase === "completed" && ownRatio ? ownRatio : shown.aspect_ratio;
    const ratio = told > 0.1 && told < 10 ? told : 16 / 9;
    const before = Number(ui.root.style.getPropertyValue("--cometvid-ratio"));
    ui.root.style.setProperty("--cometvid-ratio", String(ratio));
    ui.root.classList.toggle("cometvid-is-portrait", ratio <= 1);
    if (shown.phase !== "completed" || !before || Math.abs(before / ratio - 1) < 0.01) return;
    ui.body.style.minBlockSize = ""; // the height that it had beside another shape
    const heights = [height_px, ui.layout.offsetHeight].map((px) => ({ height: `${px}px` }));
    if (height_px && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      ui.layout.animate(heights, { duration: GLIDE_MS, easing: "ease-in-out" });
    }
  }

  /** @param {Card} next */
  function drawOutputs(next) {
    const every = next.phase === "completed" ? clipsOf(next) : [];
    ui.outputs.hidden = every.length < 2;
    if (ui.outputs.childElementCount !== (every.length < 2 ? 0 : every.length)) {
      ui.outputs.replaceChildren(...every.slice(0, every.length < 2 ? 0 : undefined).map((_, index) => {
        const node = button("button button-small output", String(index + 1));
        node.setAttribute("aria-label", fill(WORDS.output, { number: index + 1, count: every.length }));
        node.addEventListener("click", () => {
          const chosen = clipsOf(shown)[index];
          if (chosen) player.choose(chosen);
          actions.draw();
          drawOutputs(shown);
        }, { signal });
        return node;
      }));
    }
    [...ui.outputs.children].forEach((node, index) =>
      node.setAttribute("aria-pressed", String((every[index]?.number ?? 0) === player.number())));
  }

  /** @param {Card} next */
  function update(next) {
    const height_px = shown === EMPTY_CARD ? 0 : ui.layout.offsetHeight;
    // What follows must not move when the player comes: the body keeps the room it had.
    const wasActive = shown !== EMPTY_CARD && ACTIVE_PHASES.has(shown.phase);
    if (wasActive && next.phase === "completed") ui.body.style.minBlockSize = `${ui.body.offsetHeight}px`;
    else if (next.phase !== "completed") { ui.body.style.minBlockSize = ""; ownRatio = 0; }
    shown = next;
    const phase = next.phase in ICONS ? next.phase : "unknown";
    const isActive = ACTIVE_PHASES.has(phase);
    const hasPlayer = phase === "completed" && next.clip !== null;
    ui.root.dataset["phase"] = phase;
    ui.root.setAttribute("aria-label", `Video job ${next.job_id}`);
    ui.screen.hidden = !isActive && !hasPlayer;
    ui.overlay.hidden = ui.bar.hidden = !isActive;
    if (!hasPlayer) ui.messageBox.hidden = true;
    for (const [path, node, isShown] of /** @type {const} */ ([
      [ui.screenIcon, ui.screenHeadline, isActive], [ui.rowIcon, ui.rowHeadline, !isActive]])) {
      path.setAttribute("d", ICONS[phase]);
      say(node, isShown ? next.headline : "");
    }
    ui.status.hidden = isActive;
    const picture = isActive && next.picture?.startsWith("data:image/") ? next.picture : "";
    if (!picture) ui.picture.remove();
    else if (ui.picture.getAttribute("src") !== picture || !ui.picture.isConnected) {
      ui.picture.setAttribute("src", picture);
      ui.sky.append(ui.picture);
    }

    const percent = drawProgress(ui, next.progress_percent);

    const focused = document.activeElement;
    for (const name of /** @type {const} */ (["stop", "watch"])) {
      ui[name].hidden = !next.actions.includes(name);
      // aria-disabled rather than disabled: a keyboard user's focus stays on the button.
      ui[name].setAttribute("aria-disabled", String(pending === name));
      say(ui[name], LABELS[name][pending === name ? 1 : 0]);
      if (!next.actions.includes(name)) ui[name].hidden = true;
    }
    ui.again.setAttribute("aria-disabled", String(pending === "again"));
    say(ui.again, next.can_repeat ? LABELS.again[pending === "again" ? 1 : 0] : "");
    say(ui.note, next.note);
    // The one takes the other's seat: who pressed it by key is still there.
    for (const [gone, come] of [[ui.stop, ui.watch], [ui.watch, ui.stop]]) {
      if (focused === gone && gone?.hidden) come?.focus({ preventScroll: true });
    }
    say(ui.problem, next.problem);
    say(ui.advice, next.advice);
    say(ui.command, next.command);
    ui.commandRow.hidden = !next.command;
    ui.notice.hidden = !(next.problem || next.advice || next.command);
    say(ui.prompt, next.prompt);
    const facts = next.facts.map((fact) =>
      h("li", fact === next.model ? "fact model" : "fact", { dir: "auto" }, fact));
    if (next.is_simulated) facts.unshift(h("li", "fact simulated", {}, capital(WORDS.simulation)));
    const { tags, note } = ratingOf(next);
    facts.push(...tags.map((tag) => h("li", "fact tag", { dir: "auto" }, `#${tag}`)));
    say(ui.ratingNote, note);
    ui.facts.replaceChildren(...facts);
    ui.facts.hidden = !facts.length;
    sayId(ui.id, next.job_id);
    const saved = next.saving?.total_bytes ? next.saving.received_bytes / next.saving.total_bytes : 0;
    ui.saved.style.inlineSize = `${Math.min(100, saved * 100)}%`;
    ui.savedBar.hidden = !next.saving;

    // Changes of state and each quarter; every percent would drown a listener.
    const quarter = Math.floor((percent ?? 0) / 25) * 25;
    const news = [next.headline, isActive && quarter ? `${quarter} percent` : "", next.problem]
      .filter(Boolean).join(". ");
    if (news !== announced) ui.live.textContent = announced = news;
    player.update(next, loss !== "stopped");
    bell.node.hidden = !isActive || loss !== "";
    bell.draw();
    actions.draw();
    ui.actions.hidden = bell.node.hidden && actions.root.hidden;
    drawOutputs(next);
    tick();
    reshape(height_px);
    measure();
  }

  /** What CSS cannot know: is the prompt cut, does a text scroll (then the keyboard must reach it)? */
  function measure() {
    const isOpen = ui.more.getAttribute("aria-expanded") === "true";
    ui.more.hidden = !ui.prompt.textContent
      || (!isOpen && ui.prompt.scrollHeight <= ui.prompt.clientHeight + 1);
    for (const node of [ui.problem, ui.advice, ui.prompt, ui.id, ui.command]) {
      const isScroller = node.scrollHeight > node.clientHeight + 1 && getComputedStyle(node).overflowY === "auto";
      if (isScroller) node.tabIndex = 0;
      else node.removeAttribute("tabindex");
    }
  }

  const refresh = () => update(withoutKernel(ratings.merged(card), loss, lost_at_s));
  const readCard = () => { card = { ...EMPTY_CARD, .../** @type {Card} */ (model.get("card")) }; };

  listen(model, "change:card", () => {
    readCard();
    clock.hear(card.sent_at_s);
    loss = ""; // whoever sends cards is alive
    // What costs money waits for its own answer: a running job sends cards meanwhile.
    if (pending !== "again" || !card.can_repeat) { [pending, isBusy] = [null, false]; cancelBusy(); }
    refresh();
  }, signal);

  for (const name of /** @type {const} */ (["stop", "watch"])) {
    ui[name].addEventListener("click", () => {
      if (pending) return;
      pending = name;
      model.send({ kind: "action", name });
      cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = true; tick(); }, signal);
      refresh();
    }, { signal });
  }
  ui.again.addEventListener("click", () => {
    if (pending) return;
    pending = "again"; // it costs money: the kernel, too, takes one click for this job and no more
    model.send({ kind: "again", job_id: shown.job_id });
    cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = true; tick(); }, signal);
    refresh();
  }, { signal });
  ui.more.addEventListener("click", () => {
    const isOpen = ui.prompt.classList.toggle("cometvid-is-open");
    ui.more.setAttribute("aria-expanded", String(isOpen));
    ui.more.textContent = isOpen ? "less" : "more";
    measure();
  }, { signal });
  ui.more.setAttribute("aria-expanded", "false");
  ui.copy.addEventListener("click", () => copyText(ui.copy, ui.command.textContent ?? "", signal, ui.command), { signal });
  document.addEventListener("visibilitychange", tick, { signal });
  keepKeys(keys ?? ui.root, signal);

  readCard();
  el.append(ui.root);
  refresh();
  watchKernel(model, el, signal, (next) => {
    if (loss === next || loss === "stopped") return; // an ended kernel does not come back by itself
    [loss, lost_at_s, pending, isBusy] = [next, clock.now_s(), null, false];
    if (loss) ratings.drop();
    refresh();
  });
  let width = 0;
  const resizes = new ResizeObserver(() => {
    if (width && width !== ui.root.clientWidth) ui.body.style.minBlockSize = ""; // a height of another width
    width = ui.root.clientWidth;
    measure();
  });
  resizes.observe(ui.root);

  const end = () => {
    if (signal.aborted) return;
    player.end();
    controller.abort();
    resizes.disconnect();
    ui.root.remove();
  };
  viewSignal?.addEventListener("abort", end, { once: true }); // sooner than the cleanup (anywidget 0.11)
  return end;
}
