/** The nodes of two takes in one view: what stands on the screen, and what it is looked at with. */

/** @typedef {"side" | "wipe" | "blink" | "difference"} Look */

const WIPE = "M1.8 3.5h12.4v9H1.8zM8 1.5v13";
/** What each way of looking is called, and its shape. @type {[Look, string, string][]} */
const LOOKS = [
  ["side", "Side by side", "M1.8 3.5h5.4v9H1.8zM8.8 3.5h5.4v9H8.8z"],
  ["wipe", "Wipe", WIPE],
  ["blink", "Blink", "M1.5 8c2-3 4.1-4.5 6.5-4.5S12.5 5 14.5 8c-2 3-4.1 4.5-6.5 4.5S3.5 11 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6z"],
  ["difference", "Difference", "M6 3.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6zM10 3.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 1 1 0-9.6z"],
];
const SWAP = "M4.5 2L2 4.5L4.5 7M2 4.5h11M11.5 9l2.5 2.5L11.5 14M14 11.5H3";

/** One of the two takes. @param {"A" | "B"} letter */
function buildSide(letter) {
  const sound = iconButton("icon-button on-screen sound", "Sound", SOUND_OFF);
  const player = buildPlayer("button button-small on-screen retry", "waits for the running cell");
  const screen = h("div", `screen compare-side compare-${letter.toLowerCase()}`, {},
    h("b", "compare-letter", { "aria-hidden": "true" }, letter), player.messageBox, sound.node);
  for (const name of ["controls", "loop"]) player.video.removeAttribute(name); // one bar rules both
  const verdict = buildVerdict();
  const choice = h("select", "select compare-choice", { "aria-label": `Take ${letter}` });
  const take = h("div", "compare-take", { role: "group", "aria-label": letter }, choice,
    h("div", "compare-verdict", {}, verdict.starRow, verdict.pick, verdict.reject));
  return { ...player, ...verdict, screen, take, choice, sound: sound.node, soundIcon: sound.path, letter };
}

/** Every node of the view, built once. */
function buildCompare() {
  const sides = /** @type {const} */ ([buildSide("A"), buildSide("B")]);
  const looks = LOOKS.map(([name, label, shape]) => {
    const { node } = iconButton("icon-button", label, shape);
    return { name, node };
  });
  const ui = {
    sides, looks, swap: iconButton("icon-button", "Change places", SWAP).node,
    actual: button("button button-small", "1:1"), gain: button("button button-small", "×4"),
    close: button("button button-small", "Back to the gallery"),
    line: h("div", "compare-line", { role: "slider", tabindex: "0", "aria-label": "Line between the takes",
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal" }),
    play: iconButton("icon-button sync-play", "Play", PLAY), playText: h("span", ""),
    loop: button("button button-small", "Loop"), told: h("p", "compare-told", { role: "status", hidden: "" }),
    ...buildPlayhead("Restart both", "Position in both takes"),
  };
  ui.play.node.append(ui.playText);
  ui.actual.title = "Show each pixel of the clip as one of the screen; drag to move";
  ui.actual.setAttribute("aria-label", "Actual size, 1:1");
  ui.gain.title = "Make small differences four times as bright";
  ui.gain.setAttribute("aria-label", "Four times as bright");
  const pair = h("div", "compare-pair", {}, ...sides.map(({ screen }) => screen));
  const stage = h("div", "compare-stage", { tabindex: "0", role: "group", "aria-label": "Both takes" }, pair, ui.line, ui.told);
  const root = h("div", "compare", { role: "group", "aria-label": "Compare two takes", tabindex: "-1" },
    h("div", "compare-head", {},
      h("div", "compare-choices", {}, sides[0].take, ui.swap, sides[1].take),
      h("div", "compare-looks", { role: "group", "aria-label": "Way of looking" },
        ...looks.map(({ node }) => node), ui.actual, ui.gain), ui.close),
    stage,
    h("div", "sync", { role: "group", "aria-label": "Both clips" }, ui.play.node,
      h("div", "sync-controls", {}, ui.restart, ui.back, ui.on, ui.seek, ui.time, ui.loop)));
  return { ...ui, pair, stage, root };
}
