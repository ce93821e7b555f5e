/** The nodes of the row beneath a clip: what one thinks of it, how it plays, and what can be done with it. */

const PENCIL = "M10.8 2.6l2.6 2.6l-7.8 7.8l-3.2.6l.6-3.2z";
const LOOP = "M3 7.2v-.8A2.2 2.2 0 0 1 5.2 4.2H13M10.8 2L13 4.2l-2.2 2.2M13 8.8v.8a2.2 2.2 0 0 1-2.2 2.2H3M5.2 14L3 11.8l2.2-2.2";
const DOWNLOAD = "M8 2v8.2M4.8 7.2L8 10.4l3.2-3.2M2.8 13.4h10.4";
const FULL_SCREEN = "M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3";
const DOTS = "M3.4 8v.01M8 8v.01M12.6 8v.01";
const SPEEDS = [0.25, 0.5, 1, 1.5, 2];

/** Every node of the row and of its two boxes, built once. */
function buildActions() {
  const starCount = h("span", "star-count");
  const entry = (/** @type {string} */ name, /** @type {string} */ text) => h("button", `entry ${name}`, { type: "button" }, text);
  const ui = {
    ...buildVerdict(), starCount, gap: h("span", "gap", { dir: "auto", "aria-hidden": "true" }),
    rate: act("rate", "Stars, tags and a note", STAR), write: act("write", "Tags and a note", PENCIL),
    back: act("", "One frame back (,)", FRAME_BACK), on: act("", "One frame on (.)", FRAME_ON),
    loop: act("loop", "Play it again and again", LOOP),
    speed: h("select", "select speed", { "aria-label": "Speed", title: "Speed" },
      ...SPEEDS.map((speed) => h("option", "", { value: String(speed) }, `${speed}×`))),
    full: act("", "Full screen (F)", FULL_SCREEN), download: act("download", "Download", DOWNLOAD),
    more: act("more-actions", "More", DOTS),
    copyPath: entry("copy-path", "Copy path"), open: entry("open", "Open in a tab"),
    remix: entry("remix", "Remix …"), extend: entry("continue", "Continue …"),
    tags: h("input", "input", { type: "text", placeholder: "sky, final", autocomplete: "off", dir: "auto" }),
    note: h("input", "input", { type: "text", autocomplete: "off", maxlength: "500", dir: "auto" }),
    keep: button("button button-small", "Keep"),
    told: h("p", "told", { role: "status" }), command: h("code", "command-to-paste", { dir: "ltr" }), copy: button("button button-small", "Copy"),
  };
  ui.rate.append(starCount);
  const playing = h("span", "playing", { role: "group", "aria-label": "How it plays" }, ui.back, ui.on, ui.loop, ui.speed, ui.full);
  const commandRow = h("div", "command-row", {}, ui.command, ui.copy);
  const entries = h("div", "entries", {}, ui.copyPath, ui.open, ui.remix, ui.extend);
  const moreBox = h("div", "popup", { "aria-label": "More to do with this clip" }, entries, ui.told, commandRow);
  const fields = h("form", "fields", {}, h("label", "", {}, "Tags", ui.tags), h("label", "", {}, "Note", ui.note), ui.keep);
  ui.keep.type = "submit";
  const rateBox = h("div", "popup", { "aria-label": "What you think of this clip" }, fields);
  const row = h("div", "actions-row", {}, ui.pick, ui.reject, ui.rate, ui.write, ui.gap, ui.download, ui.more);
  const root = h("div", "actions", { role: "group", "aria-label": "Actions" }, row, rateBox, moreBox);
  return { ...ui, root, row, playing, entries, moreBox, rateBox, fields, commandRow };
}
