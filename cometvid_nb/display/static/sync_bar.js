/** The bar that plays all clips of a gallery as one: in the live gallery and in its record. */

const PAUSE = "M5 3v10M11 3v10";

/**
 * A clip that can take part.
 * @typedef {object} Member
 * @property {HTMLVideoElement} video
 * @property {HTMLElement} sound  the button that lets this clip alone be heard
 * @property {() => boolean} hasClip  whether there is something to play
 * @property {() => boolean} isJoined  whether it takes part now
 * @property {() => void} join  take part: the common bar rules, and nothing makes a sound
 * @property {() => void} leave
 * @property {(isMuted: boolean) => void} mute
 */

const TWO_NEEDED = "as soon as two clips are shown"; // none may be there yet, or all be folded away

/** Every node of the bar, built once. */
function buildSyncBar() {
  const ui = {
    play: iconButton("icon-button sync-play", "Play all in sync", PLAY), playText: h("span", ""),
    ...buildPlayhead("Restart all", "Position in all clips"), leave: button("button button-small", "Leave sync"),
  };
  ui.play.node.append(ui.playText);
  const controls = h("div", "sync-controls", {}, ui.restart, ui.back, ui.on, ui.seek, ui.time, ui.leave);
  const bar = h("div", "sync", { role: "group", "aria-label": "All clips of this page" }, ui.play.node, controls);
  return { ...ui, controls, bar };
}

/**
 * @param {ReturnType<typeof buildSyncBar>} ui @param {() => Member[]} members  those on the page now
 * @param {(isInSync: boolean) => void} onUse  begun, or left @param {AbortSignal} signal
 */
function createSyncBar(ui, members, onUse, signal) {
  let isInSync = false;
  const videos = () => members().filter((one) => one.isJoined()).map(({ video }) => video);
  const sync = createSync(videos, () => draw(), signal);
  const playhead = createPlayhead(ui, sync, signal);

  /** Says what can be done. The bar has its place from the start, so that nothing moves when it is of use. */
  function draw() {
    const clips = members().filter((one) => one.hasClip());
    if (isInSync && !clips.length) return leave(); // the last one was folded away
    const isOff = clips.length < 2 && !isInSync;
    ui.play.node.setAttribute("aria-disabled", String(isOff));
    ui.controls.hidden = !isInSync;
    const label = !isInSync ? "Play all in sync" : sync.isWanted() ? "Pause all" : "Play all";
    const title = isOff ? `Play all in sync, ${TWO_NEEDED}` : label;
    if (ui.play.node.title !== title || ui.playText.textContent !== label) {
      ui.playText.textContent = label;
      ui.play.node.setAttribute("aria-label", label);
      ui.play.node.title = title;
      ui.play.path.setAttribute("d", isInSync && sync.isWanted() ? PAUSE : PLAY);
    }
    if (isInSync) playhead.draw(clips.length);
  }

  const joinAll = () => {
    for (const one of members()) {
      if (!one.hasClip()) continue;
      if (!isInSync) one.mute(true);
      one.join();
    }
    isInSync = true;
    onUse(true);
  };
  const leave = () => {
    if (!isInSync) return;
    sync.end();
    isInSync = false;
    playhead.letGo();
    for (const one of members()) one.leave();
    draw();
    onUse(false);
  };

  ui.play.node.addEventListener("click", () => {
    if (ui.play.node.getAttribute("aria-disabled") === "true") return;
    if (isInSync && sync.isWanted()) return sync.pause();
    joinAll();
    sync.play();
  }, { signal });
  ui.leave.addEventListener("click", () => { leave(); ui.play.node.focus(); }, { signal });
  draw();

  return {
    draw, leave,
    isInSync: () => isInSync,
    /** Let this clip alone be heard, or none. @param {Member} member */
    hear(member) {
      const isOn = member.sound.getAttribute("aria-pressed") === "true";
      for (const one of members()) one.mute(isOn || one !== member);
    },
    end: () => sync.end(),
  };
}

/** Draw whether a clip is heard. @param {HTMLElement} node @param {SVGPathElement} path
 * @param {boolean} isMuted @param {string} jobId */
function drawSound(node, path, isMuted, jobId) {
  node.setAttribute("aria-pressed", String(!isMuted));
  node.setAttribute("aria-label", `Sound of ${jobId}`);
  path.setAttribute("d", isMuted ? SOUND_OFF : SOUND_ON);
}
