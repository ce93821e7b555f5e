/** What stands around the grid of a gallery: totals that filter, order, sync bar, pages. */

/** The shape of each filter. @type {[Gallery["filter"], string][]} */
const FILTERS = [
  ["all", "M2.5 2.5h4.6v4.6H2.5zM8.9 2.5h4.6v4.6H8.9zM2.5 8.9h4.6v4.6H2.5zM8.9 8.9h4.6v4.6H8.9z"],
  ["queued", ICONS.queued], ["running", ICONS.running], ["completed", ICONS.completed],
  ["failed", ICONS.failed], ["other", ICONS.stopped],
];
/** @type {[Gallery["sort"], string][]} */
const SORTS = [["added", "as added"], ["state", "by state"], ["progress", "by progress"], ["longest", "longest first"]];

/** Every node around the grid, built once. */
function buildGallery() {
  const filters = FILTERS.map(([name, shape]) => {
    const label = name === "all" ? "All" : capital(WORDS.groups[name]);
    const { svg, path } = icon();
    path.setAttribute("d", shape);
    const count = h("span", "count");
    return { name, count, node: h("button", "button filter", { type: "button", "data-filter": name }, svg, label, " ", count) };
  });
  const sort = h("select", "select", { "aria-label": "Order" },
    ...SORTS.map(([value, label]) => h("option", "", { value }, label)));
  const part = (/** @type {string} */ name) => h("i", `part part-${name}`);
  const parts = { completed: part("completed"), failed: part("failed"), other: part("other"),
    running: part("running"), queued: part("queued") };
  const sync = {
    play: iconButton("sync-play", "Play all in sync", PLAY), playText: h("span", ""),
    restart: iconButton("", "Restart all", "M3.2 8a4.8 4.8 0 1 0 1.5-3.5M4.4 1.9v2.9h2.9").node,
    back: iconButton("", "One frame back", "M11.5 3.2v9.6L5.4 8zM3.8 3.4v9.2").node,
    on: iconButton("", "One frame on", "M4.5 3.2v9.6L10.6 8zM12.2 3.4v9.2").node,
    seek: h("input", "seek", { type: "range", min: "0", max: "0", step: "any", value: "0", "aria-label": "Position in all clips" }),
    time: h("span", "time"), leave: button("button button-small", "Leave sync"),
  };
  sync.play.node.append(sync.playText);
  const syncControls = h("div", "sync-controls", {}, sync.restart, sync.back, sync.on, sync.seek, sync.time, sync.leave);
  const pager = {
    first: button("button button-small", "First"), previous: button("button button-small", "Previous"),
    place: h("span", "place-in-pages"), next: button("button button-small", "Next"), last: button("button button-small", "Last"),
  };
  const ui = {
    filters, sort, parts, sync, pager, syncControls,
    heading: h("strong", "heading"), simulated: h("span", "fact simulated", {}, capital(WORDS.simulation)),
    filterBox: h("div", "filters", { role: "group", "aria-label": "Show" }, ...filters.map(({ node }) => node)),
    sortBox: h("label", "sort", {}, "Order ", sort),
    meter: h("div", "meter", { "aria-hidden": "true" }, ...Object.values(parts)),
    syncBar: h("div", "sync", { role: "group", "aria-label": "All clips of this page" }, sync.play.node, syncControls),
    problem: h("p", "problem gallery-problem"), empty: h("p", "empty"),
    grid: h("ul", "grid", { tabindex: "-1", "aria-label": "Jobs" }),
    nav: h("nav", "pager", { "aria-label": "Pages" }, ...Object.values(pager)),
    live: h("div", "live", { "aria-live": "polite", role: "status" }),
  };
  const head = h("header", "gallery-head", {},
    h("div", "gallery-top", {}, ui.heading, ui.simulated, ui.sortBox), ui.meter, ui.filterBox, ui.syncBar, ui.problem);
  const root = h("section", "root gallery", { "aria-label": "Video jobs" },
    head, ui.grid, ui.empty, ui.nav, ui.live);
  return { ...ui, root };
}

/** The shape that most cards of a page have. @param {Gallery} gallery */
function commonRatio({ order, cards }) {
  /** @type {Map<number, number>} */
  const votes = new Map();
  for (const id of order) {
    const ratio = cards[id]?.aspect_ratio ?? 16 / 9;
    votes.set(ratio, (votes.get(ratio) ?? 0) + 1);
  }
  const [winner] = [...votes].sort((a, b) => b[1] - a[1]);
  return Math.min(16 / 9, Math.max(9 / 16, winner?.[0] ?? 16 / 9));
}
