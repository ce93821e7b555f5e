/**
 * The remembered jobs, a page at a time. The kernel searches, sorts and turns the pages; what it has
 * sent last stays readable without it, and clips beside the notebook still play.
 */

const TYPED_MS = 200; // a search goes out when somebody has paused for so long
const AGO_EVERY_MS = 30_000;
const NEWS_EVERY_MS = 10_000;
const DIM_AFTER_MS = 250;
const JOBS_BUSY_AFTER_MS = 1500; // a question unanswered by then waits for the running cell
const FRAMES_AT_ONCE = 2;

/** @param {{model: CometvidModel, el: HTMLElement, signal?: AbortSignal}} context */
function renderJobs({ model, el, signal: viewSignal }) {
  const controller = new AbortController();
  const { signal } = controller;
  const ui = buildJobs();
  const clock = createClock();
  /** @type {ReturnType<typeof createJobRow>[]} */
  let rows = [];
  let rowsController = new AbortController();
  let jobs = EMPTY_JOBS;
  let asked = /** @type {JobQuery | null} */ (null);
  let panel = /** @type {ReturnType<typeof createJobPanel> | null} */ (null);
  let loss = /** @type {Loss} */ ("");
  let [isBusy, announced, lost_at_s] = [false, "", 0];
  let [cancelAgo, cancelBusy, cancelTyped, cancelDim] = [() => {}, () => {}, () => {}, () => {}];
  /** Small pictures by job, kept while pages are turned; a text is a data URL. @type {Map<string, string | HTMLCanvasElement>} */
  const pictures = new Map();
  /** @type {JobRow[]} */
  let unframed = [];
  let framing = 0;

  // ---- what the kernel sends

  function drawHead() {
    const view = asked ?? jobs;
    say(ui.heading, jobs.total > MOST_TOLD ? `More than ${countText(MOST_TOLD)}` : countText(jobs.total));
    ui.simulated.hidden = !jobs.is_simulated;
    const every = Object.values(jobs.counts).reduce((sum, count) => sum + count, 0);
    const isAny = Object.values(jobs.counts).some((count) => count > MOST_TOLD);
    for (const { state, count, node } of ui.pills) {
      const number = state === null ? (isAny ? MOST_TOLD + 1 : every) : jobs.counts[state] ?? 0;
      count.textContent = boundedText(number);
      node.hidden = state !== null && !number && view.state !== state && !USUAL_STATES.includes(state);
      node.setAttribute("aria-pressed", String(view.state === state));
      node.classList.toggle("cometvid-jobs-none", !number);
    }
    for (const { order, isAscending, label, sort, path, svg, cell } of ui.heads) {
      const isSorted = view.order === order;
      const isUp = isSorted ? view.is_ascending : isAscending;
      cell.setAttribute("aria-sort", isSorted ? (isUp ? "ascending" : "descending") : "none");
      path.setAttribute("d", isUp ? SHAPES.up : SHAPES.down);
      svg.classList.toggle("cometvid-jobs-unsorted", !isSorted);
      sort.title = `Sort by ${label.toLowerCase()}`;
    }
    if (document.activeElement !== ui.search && ui.search.value.trim() !== view.search) ui.search.value = view.search;
    ui.clear.hidden = !ui.search.value;
    const last = jobs.pages;
    say(ui.pager.place, `Page ${view.page.toLocaleString("en")} of ${last.toLocaleString("en")}`);
    ui.nav.hidden = last < 2;
    for (const [node, isOff] of /** @type {const} */ ([[ui.pager.first, view.page <= 1], [ui.pager.previous, view.page <= 1],
      [ui.pager.next, view.page >= last], [ui.pager.last, view.page >= last]])) {
      node.setAttribute("aria-disabled", String(isOff || loss !== ""));
    }
    for (const node of [ui.refresh, ...ui.pills.map((pill) => pill.node), ...ui.heads.map((head) => head.sort)]) {
      node.setAttribute("aria-disabled", String(loss !== ""));
    }
    ui.search.readOnly = loss !== "";
    say(ui.problem, loss === "stopped" ? `The kernel stopped: this is the list as it was at ${timeText(lost_at_s)}. Run the cell again to search and sort.`
      : loss ? DISCONNECTED : isBusy ? capital(BUSY) : jobs.note);
    ui.scroller.hidden = !jobs.rows.length;
    say(ui.empty, jobs.rows.length ? "" : jobs.total ? emptyText() : jobs.note ? "No job to show." : "No job is remembered yet.");
  }

  const timeText = (/** @type {number} */ at_s) =>
    new Date(at_s * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  function emptyText() {
    const where = jobs.state ? ` among those that are “${stateText(jobs.state).toLowerCase()}”` : "";
    return jobs.search ? `Nothing found for “${jobs.search}”${where}.` : `No job is “${stateText(jobs.state ?? "").toLowerCase()}”.`;
  }

  function drawRows() {
    const focused = rows.find(({ root }) => root.contains(document.activeElement))?.row.name;
    rowsController.abort();
    rowsController = new AbortController();
    const open = panel && jobs.rows.find(({ name }) => name === panel?.name);
    if (panel && !open) closePanel(false);
    rows = jobs.rows.map((row) => createJobRow(row, jobs.search, { open: toggle }, rowsController.signal));
    if (panel) {
      const seat = rows.findIndex(({ row }) => row.name === panel?.name);
      // The panel stays where it is, or its clip would start again: rows are put around it.
      for (const node of [...ui.rows.children]) if (node !== panel.root) node.remove();
      panel.root.before(...rows.slice(0, seat + 1).map(({ root }) => root));
      panel.root.after(...rows.slice(seat + 1).map(({ root }) => root));
      rows[seat]?.mark(true);
    } else ui.rows.replaceChildren(...rows.map(({ root }) => root));
    for (const { row } of rows) drawPicture(row.name);
    askForPictures();
    tick();
    if (focused !== undefined) (rows.find(({ row }) => row.name === focused)?.title ?? ui.scroller).focus({ preventScroll: true });
  }

  function tick() {
    cancelAgo();
    for (const row of rows) row.tick(clock.now_s());
    if (!document.hidden) cancelAgo = after(AGO_EVERY_MS, tick, signal);
  }

  // While jobs go on, what the kernel read a moment ago is soon untrue.
  (function keepUp() {
    after(NEWS_EVERY_MS, () => {
      const goesOn = ["queued", "in_progress"].some((state) => jobs.counts[state]);
      if (goesOn && !loss && !asked && !document.hidden) model.send({ kind: "hello" });
      keepUp();
    }, signal);
  })();

  const take = (/** @type {unknown} */ value) => {
    const before = jobs;
    jobs = { ...EMPTY_JOBS, .../** @type {JobList} */ (value) };
    const isAnswer = !asked || (asked.state === jobs.state && asked.search === jobs.search && asked.order === jobs.order
      && asked.is_ascending === jobs.is_ascending && jobs.page === Math.min(asked.page, jobs.pages));
    if (isAnswer) {
      [asked, isBusy] = [null, false];
      cancelBusy();
      cancelDim();
      ui.scroller.setAttribute("aria-busy", "false");
    }
    drawHead();
    // A kernel that is asked again answers the same, as a rule: what one reads or plays stays.
    if (loss || before.search !== jobs.search || JSON.stringify(before.rows) !== JSON.stringify(jobs.rows)) drawRows();
    const isOther = before.page !== jobs.page || before.search !== jobs.search || before.state !== jobs.state
      || before.order !== jobs.order || before.is_ascending !== jobs.is_ascending;
    if (isOther) ui.scroller.scrollTop = 0;
    const found = jobs.matching > MOST_TOLD ? `More than ${countText(MOST_TOLD)}` : countText(jobs.matching);
    const news = `${found}, page ${jobs.page} of ${jobs.pages}.`;
    if (isOther && before !== EMPTY_JOBS && news !== announced) ui.live.textContent = announced = news;
  };
  listen(model, "change:jobs", () => {
    loss = ""; // whoever sends is alive
    const value = /** @type {JobList} */ (model.get("jobs"));
    clock.hear(value.sent_at_s);
    take(value);
  }, signal);

  // ---- what one can ask for

  /** @param {Partial<JobQuery>} change */
  const ask = (change) => {
    if (loss) return;
    cancelTyped();
    const { state, search, order, is_ascending, page } = { ...jobs, ...asked, search: ui.search.value.trim(), page: 1, ...change };
    asked = { state, search, order, is_ascending, page };
    model.send({ kind: "view", ...asked });
    cancelBusy();
    cancelDim();
    cancelDim = after(DIM_AFTER_MS, () => ui.scroller.setAttribute("aria-busy", "true"), signal);
    cancelBusy = after(JOBS_BUSY_AFTER_MS, () => { isBusy = true; drawHead(); }, signal);
    drawHead();
  };
  ui.search.addEventListener("input", () => {
    ui.clear.hidden = !ui.search.value;
    cancelTyped();
    cancelTyped = after(TYPED_MS, () => ask({}), signal);
  }, { signal });
  const clear = () => {
    if (loss) return;
    ui.search.value = "";
    ui.search.focus();
    ask({});
  };
  ui.clear.addEventListener("click", clear, { signal });
  ui.search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") ask({});
    if (event.key !== "Escape" || !ui.search.value) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would leave the cell's edit mode
    clear();
  }, { signal });
  ui.refresh.addEventListener("click", () => ask({ page: jobs.page }), { signal });
  for (const { state, node } of ui.pills) node.addEventListener("click", () => ask({ state }), { signal });
  for (const { order, isAscending, sort } of ui.heads) {
    sort.addEventListener("click", () => {
      const view = asked ?? jobs;
      ask({ order, is_ascending: view.order === order ? !view.is_ascending : isAscending });
    }, { signal });
  }
  for (const [node, go] of /** @type {[HTMLElement, (page: number) => number][]} */ ([[ui.pager.first, () => 1],
    [ui.pager.previous, (page) => page - 1], [ui.pager.next, (page) => page + 1], [ui.pager.last, () => jobs.pages]])) {
    node.addEventListener("click", () => {
      if (node.getAttribute("aria-disabled") !== "true") ask({ page: go((asked ?? jobs).page) });
    }, { signal });
  }

  // ---- what opens beneath a row

  /** @param {string} name @param {boolean} isPlaying */
  function toggle(name, isPlaying) {
    const isSame = panel?.name === name;
    if (isSame && isPlaying) return panel?.play();
    closePanel(false);
    const place = rows.find(({ row }) => row.name === name);
    if (isSame || !place) return;
    panel = createJobPanel(place.row, model, loss !== "stopped", () => closePanel(true), signal);
    place.root.after(panel.root);
    place.mark(true);
    if (isPlaying) panel.play();
    else panel.closing.focus({ preventScroll: true });
    panel.root.scrollIntoView({ block: "nearest" });
  }

  /** @param {boolean} isAsked */
  function closePanel(isAsked) {
    const place = rows.find(({ row }) => row.name === panel?.name);
    panel?.end();
    panel = null;
    place?.mark(false);
    if (isAsked) place?.title.focus();
  }

  // ---- small pictures: those that the kernel keeps, else first frames

  /** @param {string} name */
  function drawPicture(name) {
    const [place, picture] = [rows.find(({ row }) => row.name === name), pictures.get(name)];
    if (!place || !picture || place.hasPicture()) return;
    place.show(typeof picture === "string" ? h("img", "jobs-frame", { alt: "", src: picture }) : picture);
  }

  function askForPictures() {
    const missing = jobs.rows.filter(({ name, clip }) => clip && !pictures.has(name));
    unframed = [];
    if (!missing.length) return;
    if (loss !== "stopped") model.send({ kind: "posters", names: missing.map(({ name }) => name) });
    else frame(missing);
  }

  /** @param {JobRow[]} missing */
  function frame(missing) {
    unframed = missing.filter(({ clip }) => clip?.path && !clip.is_image);
    while (framing < FRAMES_AT_ONCE && unframed.length) frameNext();
  }

  async function frameNext() {
    const row = unframed.shift();
    if (!row) return;
    framing++;
    const url = await locate(model, row.clip?.path ?? "").catch(() => "");
    const picture = url && !signal.aborted ? await firstFrame(url, signal) : null;
    framing--;
    if (signal.aborted) return;
    if (picture) pictures.set(row.name, picture);
    drawPicture(row.name);
    frameNext();
  }

  listen(model, "msg:custom", (content) => {
    if (content?.kind !== "posters") return;
    for (const [name, poster] of Object.entries(content.posters ?? {})) {
      if (typeof poster === "string" && poster.startsWith("data:image/")) pictures.set(name, poster);
      drawPicture(name);
    }
    frame(jobs.rows.filter(({ name, clip }) => clip && !pictures.has(name)));
  }, signal);

  // ---- the keyboard

  ui.root.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = rows.findIndex(({ root }) => root.contains(document.activeElement));
    if (!step || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const isPlay = document.activeElement?.classList.contains("cometvid-jobs-play");
    const next = rows[at + step];
    event.preventDefault();
    const play = /** @type {HTMLElement | null} */ (next?.root.querySelector(".cometvid-jobs-play"));
    ((isPlay && play) || next?.title)?.focus();
  }, { signal });
  document.addEventListener("visibilitychange", tick, { signal });
  keepKeys(ui.root, signal);

  el.append(ui.root);
  take(model.get("jobs") ?? {});
  watchKernel(model, el, signal, (next) => {
    if (loss === next || loss === "stopped") return;
    [loss, lost_at_s, asked, isBusy] = [next, clock.now_s(), null, false];
    drawHead();
    panel?.connect(loss !== "stopped");
    if (loss) askForPictures();
  });

  // What has happened to the jobs since the kernel read them.
  if (!loss) model.send({ kind: "hello" });

  const end = () => {
    if (signal.aborted) return;
    closePanel(false);
    rowsController.abort();
    controller.abort();
    ui.root.remove();
  };
  viewSignal?.addEventListener("abort", end, { once: true });
  return end;
}
