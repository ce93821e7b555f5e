/** What stands around the rows of a list of jobs: search, states, heads that sort, pages. */

const SHAPES = {
  search: "M7 2.25a4.75 4.75 0 1 0 0 9.5a4.75 4.75 0 1 0 0-9.5zM10.4 10.4l3.35 3.35",
  refresh: "M12.8 8a4.8 4.8 0 1 1-1.5-3.5M11.6 1.9v2.9H8.7",
  up: "M8 13V3.5M4.2 7.2L8 3.4l3.8 3.8",
  down: "M8 3v9.5M4.2 8.8L8 12.6l3.8-3.8",
  close: CROSS,
};

/** @param {string} name @param {string} text */
const textButton = (name, text) => button(`button button-small ${name}`.trim(), text);

/** Write a text with what was found in it marked. @param {HTMLElement} node @param {string} text
 * @param {string} search */
function sayFound(node, text, search) {
  const at = foundAt(text, search);
  node.replaceChildren(...at ? [text.slice(0, at[0]), h("mark", "jobs-mark", {}, text.slice(at[0], at[1])), text.slice(at[1])]
    : [text]);
}

/** The columns, and which way each is sorted first. @type {[JobOrder, string, boolean][]} */
const JOB_COLUMNS = [
  ["prompt", "Prompt", true], ["state", "State", true], ["model", "Model", true], ["size", "Size", false],
  ["took", "Took", false], ["when", "When", false],
];
/** The states that always have a pill; others get one when there is such a job. */
const USUAL_STATES = ["in_progress", "queued", "completed", "failed"];

/** Every node around the rows, built once. */
function buildJobs() {
  const pills = [null, ...Object.keys(WORDS.job_states)].map((state) => {
    const count = h("span", "jobs-count", { dir: "ltr" });
    const shape = state === null ? [] : [sign(ICONS[PHASE_OF_STATE[state] ?? "unknown"])];
    const label = state === null ? "All" : stateText(state);
    const node = h("button", "button jobs-pill", { type: "button" }, ...shape, label, " ", count);
    node.dataset["state"] = state ?? "all";
    return { state, count, node: node };
  });
  const heads = JOB_COLUMNS.map(([order, label, isAscending]) => {
    const { svg, path } = icon();
    const sort = h("button", "jobs-sort", { type: "button" }, label, svg);
    const cell = h("th", `jobs-head jobs-${order}`, { scope: "col", role: "columnheader" }, sort);
    return { order, label, isAscending, sort, path, svg, cell };
  });
  const pager = {
    first: textButton("", "First"), previous: textButton("", "Previous"), place: h("span", "jobs-place"),
    next: textButton("", "Next"), last: textButton("", "Last"),
  };
  const words = "Search prompts, ids, models, tags and notes";
  const ui = {
    pills, heads, pager,
    heading: h("strong", "jobs-heading"),
    simulated: h("span", "fact simulated", {}, capital(WORDS.simulation)),
    search: h("input", "jobs-input", { type: "search", "aria-label": words, placeholder: words, maxlength: "1000",
      autocomplete: "off", spellcheck: "false", dir: "auto" }),
    clear: iconButton("jobs-clear", "Clear the search", SHAPES.close).node,
    refresh: iconButton("jobs-refresh", "Refresh the list", SHAPES.refresh).node,
    pillBox: h("div", "jobs-pills", { role: "group", "aria-label": "Show" }, ...pills.map(({ node }) => node)),
    problem: h("p", "problem jobs-problem", { dir: "auto" }), empty: h("p", "jobs-empty", { dir: "auto" }),
    rows: h("tbody", "jobs-rows", { role: "rowgroup" }),
    nav: h("nav", "jobs-pager", { "aria-label": "Pages" }, ...Object.values(pager)),
    live: h("div", "live", { "aria-live": "polite", role: "status" }),
  };
  const box = h("div", "jobs-search", { role: "search" }, sign(SHAPES.search), ui.search, ui.clear);
  const clipHead = h("th", "jobs-head jobs-clip", { scope: "col", role: "columnheader" }, h("span", "jobs-hidden", {}, "Clip"));
  const table = h("table", "jobs-table", { role: "table", "aria-label": "Remembered jobs" },
    h("thead", "", { role: "rowgroup" }, h("tr", "jobs-heads", { role: "row" }, clipHead, ...heads.map(({ cell }) => cell))),
    ui.rows);
  const scroller = h("div", "jobs-scroller", { tabindex: "0", role: "region", "aria-label": "Jobs of this page" }, table);
  const root = h("section", "root jobs", { "data-lm-suppress-shortcuts": "true", "aria-label": "Jobs that this machine remembers" },
    h("header", "jobs-top", {}, h("div", "jobs-line", {}, ui.heading, ui.simulated, box, ui.refresh), ui.pillBox, ui.problem),
    scroller, ui.empty, ui.nav, ui.live);
  return { ...ui, root, scroller, table };
}
