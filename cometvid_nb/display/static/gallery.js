/**
 * Many jobs on one page: a grid of small cards, totals that are the filter, pages, and all clips
 * of a page as one player. The kernel holds the thousands; a page of them is all that is here.
 */

/** @param {{model: CometvidModel, el: HTMLElement, signal?: AbortSignal}} context */
function renderGallery({ model, el, signal: viewSignal }) {
  const controller = new AbortController();
  const { signal } = controller;
  const ui = buildGallery();
  const clock = createClock();
  const gate = createFetchGate(model, signal);
  /** @typedef {{tile: ReturnType<typeof createTile>, facade: ReturnType<typeof modelOfJob>, drawn: string}} Entry
   * @type {Map<string, Entry>} */
  const entries = new Map();
  let gallery = EMPTY_GALLERY;
  let [loss, lost_at_s] = [/** @type {Loss} */ (""), 0];
  let asked = /** @type {Pick<Gallery, "filter" | "sort" | "page"> | null} */ (null);
  let [announced, isBusy] = ["", false];
  let panel = /** @type {{jobId: string, root: HTMLElement, end: () => void} | null} */ (null);
  let comparing = /** @type {ReturnType<typeof createCompare> | null} */ (null);
  let compared = /** @type {string[]} */ ([]);
  let [cancelTick, cancelBusy] = [() => {}, () => {}];
  const tiles = () => [...entries.values()].map(({ tile }) => tile);
  const fold = createFold(ui, () => entries, () => drawTogether(), signal);
  const sync = createSyncBar(ui.sync, () => tiles().filter(({ root }) => !root.hidden), () => tellUse(), signal);
  const bell = createBell(() => keyOfGallery(model), signal);
  ui.bellSeat.append(bell.node);

  const ratings = createRatings((content) => model.send(content), () => refresh());
  const rate = (/** @type {string} */ id, /** @type {Rating} */ rating) =>
    ratings.rate(id, ratingOf(gallery.cards[id] ?? {}), rating);
  const send = (/** @type {any} */ content) => (content.kind === "fetch_clip" ? gate.ask(content)
    : content.kind === "rate" ? rate(content.job_id, content.rating) : model.send(content));
  const cardOf = (/** @type {string} */ id) => {
    const { poster = null, ...card } = ratings.merged({ ...EMPTY_CARD, job_id: id, ...gallery.cards[id] });
    return { ...withoutKernel(/** @type {Card} */ (card), loss, lost_at_s), poster };
  };

  /** One timer for the whole page. */
  function tick() {
    cancelTick();
    const now_s = clock.now_s();
    let isActive = false;
    for (const { tile } of entries.values()) {
      tile.tick(now_s);
      isActive ||= ACTIVE_PHASES.has(tile.card().phase);
    }
    if (isActive && !document.hidden) cancelTick = after(1000, tick, signal);
  }

  // ---- what the kernel sends

  function drawHead() {
    const view = asked ?? gallery;
    say(ui.heading, countText(gallery.total));
    ui.simulated.hidden = !gallery.is_simulated;
    bell.node.hidden = !(gallery.totals.queued + gallery.totals.running) || loss !== "";
    for (const { name, node, count } of ui.filters) {
      const number = name === "all" ? gallery.total : gallery.totals[name];
      say(count, number.toLocaleString("en"));
      node.setAttribute("aria-pressed", String(view.filter === name));
      node.classList.toggle("cometvid-is-none", !number);
      if (name === "other") node.hidden = !number && view.filter !== name; // most galleries never have one
    }
    for (const [name, part] of Object.entries(ui.parts)) {
      part.style.inlineSize = `${(100 * gallery.totals[/** @type {Total} */ (name)]) / (gallery.total || 1)}%`;
    }
    if (ui.sort.value !== view.sort) ui.sort.value = view.sort;
    ui.filterBox.hidden = ui.sortBox.hidden = ui.meter.hidden = ui.sync.bar.hidden = gallery.total < 2;
    ui.grid.setAttribute("aria-busy", String(asked !== null));
    say(ui.pager.place, `Page ${view.page} of ${gallery.pages}`);
    ui.nav.hidden = gallery.pages < 2;
    for (const [node, isOff] of /** @type {const} */ ([[ui.pager.first, view.page <= 1],
      [ui.pager.previous, view.page <= 1], [ui.pager.next, view.page >= gallery.pages],
      [ui.pager.last, view.page >= gallery.pages]])) {
      node.setAttribute("aria-disabled", String(isOff || loss !== ""));
    }
    for (const { node } of ui.filters) node.setAttribute("aria-disabled", String(loss !== ""));
    ui.sort.disabled = loss !== "";
    say(ui.empty, gallery.order.length || asked ? "" : gallery.total ? "No job here." : "No jobs yet.");
    const stopped = gallery.is_settled ? "The kernel stopped. These jobs as a live gallery again:"
      : "The kernel stopped; the jobs themselves go on. Watch them again:";
    say(ui.problem, loss === "stopped" ? stopped : loss ? DISCONNECTED : isBusy ? BUSY : "");
    say(ui.command, loss === "stopped" ? gallery.command ?? "%cometvid resume" : "");
    ui.commandRow.hidden = ui.command.hidden;
    ui.notice.hidden = ui.problem.hidden;
    const ended = gallery.total - gallery.totals.queued - gallery.totals.running;
    const quarter = Math.floor((4 * ended) / (gallery.total || 1)) * 25;
    const isAll = gallery.is_settled || quarter === 100;
    const { completed, failed } = gallery.totals;
    const news = (isAll && gallery.total ? `All ${countText(gallery.total)} ended: ${completed} ${WORDS.groups.completed}, ${failed} ${WORDS.groups.failed}.`
      : quarter ? `${quarter} percent of ${countText(gallery.total)} ended.` : "")
      + (gallery.filter === "all" && gallery.page === 1 ? ""
        : ` ${countText(gallery.matching)} shown, page ${gallery.page} of ${gallery.pages}.`);
    // A listener chose filter and page; other numbers are announced at each quarter only.
    const key = `${isAll || quarter} ${gallery.filter} ${gallery.page}`;
    if (key !== announced) [announced, ui.live.textContent] = [key, news.trim()];
  }

  /** Build what is new, end what is gone, move only what stands elsewhere. */
  function drawGrid() {
    const wanted = new Set(gallery.order);
    const hadFocus = ui.grid.contains(document.activeElement);
    if (panel && !wanted.has(panel.jobId)) closePanel(false);
    for (const [id, { tile }] of entries) {
      if (wanted.has(id)) continue;
      sync.leave();
      gate.forget(id);
      tile.end(false);
      entries.delete(id);
    }
    for (const id of wanted) {
      let entry = entries.get(id);
      if (!entry) {
        const facade = modelOfJob(model, id, () => cardOf(id), send);
        entry = { facade, drawn: "", tile: createTile(facade, signal, { open: togglePanel, tick, rate, isAlive: () => loss === "" }) };
        const { tile } = entry;
        tile.sound.addEventListener("click", () => sync.hear(tile), { signal });
        entries.set(id, entry);
      }
      const card = cardOf(id);
      const { sent_at_s: _, ...look } = card;
      const drawn = JSON.stringify(look) + loss;
      if (drawn === entry.drawn) continue;
      if (entry.drawn) entry.tile.heard();
      entry.drawn = drawn;
      entry.tile.update(card, loss !== "stopped", clock.now_s());
      entry.facade.changed();
    }
    const grid = /** @type {HTMLElement & {moveBefore?: (node: Node, place: Node | null) => void}} */ (ui.grid);
    let place = /** @type {Element | null} */ (grid.firstElementChild);
    for (const id of gallery.order) {
      const node = /** @type {Entry} */ (entries.get(id)).tile.root;
      if (place === panel?.root) place = place?.nextElementSibling ?? null;
      if (node === place) place = place.nextElementSibling;
      // Moved, not put in again: a clip that is playing goes on.
      else (node.isConnected && grid.moveBefore ? grid.moveBefore : grid.insertBefore).call(grid, node, place);
    }
    seatPanel();
    fold.draw();
    const { ratio, columns, max_width } = gallery.grid;
    ui.root.style.setProperty("--cometvid-ratio", String(ratio));
    [ui.grid.style.gridTemplateColumns, ui.grid.style.maxInlineSize] = [columns, max_width];
    if (hadFocus && !ui.grid.contains(document.activeElement)) ui.grid.focus({ preventScroll: true });
  }

  /** What takes several clips. */
  function drawTogether() {
    sync.draw();
    const isPair = canCompare();
    ui.compare.setAttribute("aria-disabled", String(!isPair));
    ui.compare.title = isPair ? "Compare two takes" : `Compare two takes, ${TWO_NEEDED}`;
  }

  function refresh() {
    drawHead();
    drawGrid();
    drawTogether();
    comparing?.update();
    tick();
  }

  /** @param {unknown} value */
  const take = (value) => {
    if (value === gallery) return;
    gallery = { ...EMPTY_GALLERY, .../** @type {Gallery} */ (value) };
    const isAnswer = asked && asked.filter === gallery.filter && asked.sort === gallery.sort
      && gallery.page === Math.min(asked.page, gallery.pages);
    if (isAnswer) {
      [asked, isBusy] = [null, false];
      cancelBusy();
    }
    refresh();
  };
  const hear = (/** @type {any} */ value) => {
    clock.hear(value.sent_at_s);
    loss = ""; // whoever sends is alive
    take(value);
  };
  listen(model, "change:gallery", () => hear(model.get("gallery")), signal);
  listen(model, "msg:custom", (/** @type {any} */ content) => {
    if (content?.kind !== "gallery_change") return;
    // Into the model, so that a second view starts right; not saved: it came from the kernel.
    const told = /** @type {Gallery | undefined} */ (model.get("gallery"));
    const merged = afterChange({ ...gallery, cards: { ...gallery.cards, ...told?.cards } }, content);
    model.set("gallery", merged);
    hear(merged);
  }, signal);

  // ---- what one can ask for

  /** @param {Partial<Pick<Gallery, "filter" | "sort" | "page">>} change */
  const ask = (change) => {
    if (loss) return;
    const { filter, sort, page } = { ...gallery, ...asked, ...change };
    asked = { filter, sort, page };
    model.send({ kind: "view", ...asked });
    cancelBusy();
    cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = true; drawHead(); }, signal);
    drawHead();
  };
  for (const { name, node } of ui.filters) {
    node.addEventListener("click", () => ask({ filter: name, page: 1 }), { signal });
  }
  ui.sort.addEventListener("change", () => ask({ sort: /** @type {Gallery["sort"]} */ (ui.sort.value), page: 1 }), { signal });
  for (const [node, go] of /** @type {[HTMLElement, (page: number) => number][]} */ ([[ui.pager.first, () => 1],
    [ui.pager.previous, (page) => page - 1], [ui.pager.next, (page) => page + 1], [ui.pager.last, () => gallery.pages]])) {
    node.addEventListener("click", () => {
      if (node.getAttribute("aria-disabled") !== "true") ask({ page: go((asked ?? gallery).page) });
    }, { signal });
  }

  // ---- the full card of one job, under its row

  /** @param {string} jobId */
  function togglePanel(jobId) {
    const isSame = panel?.jobId === jobId;
    closePanel(false);
    const entry = entries.get(jobId);
    if (isSame || !entry) return;
    const box = h("div", "panel-card");
    const close = button("button button-small close", "Close");
    const root = h("li", "panel", { tabindex: "-1" }, h("div", "panel-head", {}, h("strong", "", { dir: "auto" }, jobId), close), box);
    root.setAttribute("aria-label", `Full card of ${jobId}`);
    const own = new AbortController();
    close.addEventListener("click", () => closePanel(true), { signal: own.signal });
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // JupyterLab would leave the cell's edit mode
      closePanel(true);
    }, { signal: own.signal });
    if (!sync.isInSync()) entry.tile.video.pause();
    const end = renderCard({ model: entry.facade, el: box, signal: own.signal, clock, keys: root });
    panel = { jobId, root, end: () => { end(); own.abort(); root.remove(); } };
    entry.tile.title.setAttribute("aria-expanded", "true");
    entry.tile.root.classList.add("cometvid-is-open");
    seatPanel();
    close.focus({ preventScroll: true });
    root.scrollIntoView({ block: "nearest" });
  }

  /** @param {boolean} isAsked */
  function closePanel(isAsked) {
    if (!panel) return;
    const tile = entries.get(panel.jobId)?.tile;
    panel.end();
    panel = null;
    tile?.title.setAttribute("aria-expanded", "false");
    tile?.root.classList.remove("cometvid-is-open");
    if (isAsked) tile?.title.focus();
  }

  const seatPanel = () => {
    const tile = panel && entries.get(panel.jobId)?.tile.root;
    if (panel && tile && tile.nextElementSibling !== panel.root) tile.after(panel.root);
  };

  // ---- two takes in one view

  /** @returns {Comparable[]} */
  const comparable = () => gallery.order.flatMap((id) => {
    const one = gallery.cards[id];
    if (one?.phase !== "completed" || !one.clip || one.clip.is_image) return [];
    return [{ id, label: [one.take ? `Take ${one.take}` : "", one.prompt || id].filter(Boolean).join(" · ") }];
  });

  /** A rejected take that is folded away can be the other one, but not both. */
  const canCompare = () => {
    const known = comparable();
    return known.length > 1 && known.some(({ id }) => !entries.get(id)?.tile.root.hidden);
  };

  function closeCompare() {
    if (!comparing) return;
    compared = comparing.pair();
    comparing.end();
    comparing = null;
    ui.root.classList.remove("cometvid-is-comparing");
    ui.compare.focus({ preventScroll: true });
    tellUse();
  }

  ui.compare.addEventListener("click", () => {
    const isRejected = (/** @type {string} */ id) => gallery.cards[id]?.rating?.flag === "rejected";
    const known = comparable().map(({ id }) => id);
    const ids = [...known.filter((id) => !isRejected(id)), ...known.filter(isRejected)];
    const [one, other] = [...compared.filter((id) => ids.includes(id)), ...ids.filter((id) => !compared.includes(id))];
    if (one === undefined || other === undefined || !canCompare()) return;
    sync.leave();
    closePanel(false);
    for (const { tile } of entries.values()) tile.video.pause();
    // A gate of its own: in the gallery's, a question of this view would replace one of the tile.
    const controller = new AbortController();
    const gate = createFetchGate(model, AbortSignal.any([signal, controller.signal]));
    const ask = (/** @type {any} */ content) => (content.kind === "fetch_clip" ? gate.ask(content) : model.send(content));
    comparing = createCompare({
      list: comparable, hasKernel: () => loss === "", rate,
      card: (id) => (gallery.cards[id] ? cardOf(id) : null),
      model: (id) => modelOfJob(model, id, () => cardOf(id), ask),
    }, [one, other], () => { controller.abort(); closeCompare(); }, signal);
    ui.root.classList.add("cometvid-is-comparing");
    ui.tools.after(comparing.root);
    comparing.focus();
    tellUse();
  }, { signal });

  // While clips play, or are about to, the kernel leaves the gallery where it is: what it puts there
  // for good has players, but none that play in sync.
  let isUsed = false;
  const tellUse = () => {
    const isPlaying = [...ui.grid.querySelectorAll("video")].some((video) => !video.paused && !video.ended);
    if (isUsed === (sync.isInSync() || isPlaying || comparing !== null)) return;
    isUsed = !isUsed;
    model.send({ kind: "use", is_used: isUsed });
  };
  for (const name of ["play", "pause", "ended"]) ui.grid.addEventListener(name, tellUse, { capture: true, signal });

  ui.copy.addEventListener("click", () => copyText(ui.copy, ui.command.textContent ?? "", signal, ui.command), { signal });
  document.addEventListener("visibilitychange", tick, { signal });
  keepKeys(ui.root, signal);
  el.append(ui.root);
  take(model.get("gallery") ?? {});
  watchKernel(model, el, signal, (next) => {
    if (loss === next || loss === "stopped") return;
    [loss, lost_at_s, asked, isBusy] = [next, clock.now_s(), null, false];
    if (loss) ratings.drop();
    refresh();
  });

  // What the kernel sent after it made the model and before this view, nobody has received.
  model.send({ kind: "hello" });

  const end = () => {
    if (signal.aborted) return;
    closePanel(false);
    comparing?.end();
    for (const { tile } of entries.values()) tile.end(true);
    sync.end();
    controller.abort();
    ui.root.remove();
  };
  viewSignal?.addEventListener("abort", end, { once: true });
  return end;
}
