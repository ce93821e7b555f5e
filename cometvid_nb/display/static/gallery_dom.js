/** What stands around the grid of a gallery: totals that filter, order, sync bar, pages. */

/** The shape of each filter. @type {[Gallery["filter"], string][]} */
const FILTERS = [
  ["all", "M2.5 2.5h4.6v4.6H2.5zM8.9 2.5h4.6v4.6H8.9zM2.5 8.9h4.6v4.6H2.5zM8.9 8.9h4.6v4.6H8.9z"],
  ["queued", ICONS.queued], ["running", ICONS.running], ["completed", ICONS.completed],
  ["failed", ICONS.failed], ["other", ICONS.stopped],
];
/** @type {[Gallery["sort"], string][]} */
const SORTS = [["added", "oldest first"], ["state", "by state"], ["progress", "by progress"], ["longest", "longest first"]];

/** Every node around the grid, built once. */
function buildGallery() {
  const filters = FILTERS.map(([name, shape]) => {
    const label = name === "all" ? "All" : capital(WORDS.groups[name]);
    const { svg, path } = icon();
    path.setAttribute("d", shape);
    const count = h("span", "count");
    return { name, count, node: h("button", "button filter", { type: "button", "data-filter": name }, svg, label, " ", count) };
  });
  const sort = h("select", "select", { "aria-label": "Sort" },
    ...SORTS.map(([value, label]) => h("option", "", { value }, label)));
  const part = (/** @type {string} */ name) => h("i", `part part-${name}`);
  // What has ended fills the bar; what has only begun does not.
  const parts = { completed: part("completed"), failed: part("failed"), other: part("other") };
  const pager = {
    first: button("button button-small", "First"), previous: button("button button-small", "Previous"),
    place: h("span", "place-in-pages"), next: button("button button-small", "Next"), last: button("button button-small", "Last"),
  };
  const compare = iconButton("icon-button compare-open", "Compare two takes", WIPE).node;
  compare.append("Compare");
  const ui = {
    filters, sort, parts, pager, sync: buildSyncBar(), compare,
    heading: h("strong", "heading"), simulated: h("span", "fact simulated", {}, capital(WORDS.simulation)),
    filterBox: h("div", "filters", { role: "group", "aria-label": "Show" }, ...filters.map(({ node }) => node)),
    sortBox: h("label", "sort", {}, "Sort: ", sort),
    meter: h("div", "meter", { "aria-hidden": "true" }, ...Object.values(parts)),
    problem: h("p", "problem gallery-problem"), command: h("code", "command", { dir: "ltr" }), copy: button("button button-small copy", "Copy"), empty: h("p", "empty"),
    bellSeat: h("span", "bell-seat"), foldText: h("span", ""), foldButton: button("more", "show"),
    grid: h("ul", "grid", { tabindex: "-1", "aria-label": "Jobs" }),
    nav: h("nav", "pager", { "aria-label": "Pages" }, ...Object.values(pager)),
    live: h("div", "live", { "aria-live": "polite", role: "status" }),
  };
  ui.sync.play.node.after(compare);
  const head = h("header", "gallery-head", {}, h("div", "gallery-top", {}, ui.heading, ui.simulated, ui.bellSeat, ui.sortBox), ui.meter);
  const commandRow = h("div", "command-row", {}, ui.command, ui.copy);
  const notice = h("div", "notice", {}, ui.problem, commandRow);
  const tools = h("div", "tools", {}, ui.filterBox, ui.sync.bar, notice);
  const foldRow = h("p", "fold", {}, ui.foldText, " ", ui.foldButton);
  const root = h("section", "root gallery", { "aria-label": "Video jobs" }, head, tools, ui.grid, foldRow, ui.empty, ui.nav, ui.live);
  return { ...ui, root, tools, commandRow, notice, foldRow };
}
