/**
 * One small card of a gallery. It loads no clip before somebody wants to see it.
 *
 * @typedef {Card & {poster?: string | null}} TileCard  poster: a small picture as a data URL
 */

const PLAY = "M4.5 2.6v10.8L13 8z";
const SOUND = "M2 6v4h2.6L8 13V3L4.6 6z";
const SOUND_ON = `${SOUND}M10.4 5.8a3 3 0 0 1 0 4.4M12.4 3.9a5.8 5.8 0 0 1 0 8.2`;
const SOUND_OFF = `${SOUND}M10.6 6.2l3.6 3.6M14.2 6.2l-3.6 3.6`;

/** A button that is a picture, with a name. @param {string} name @param {string} label @param {string} shape */
function iconButton(name, label, shape) {
  const { svg, path } = icon();
  path.setAttribute("d", shape);
  return { node: h("button", `button icon-button ${name}`, { type: "button", "aria-label": label, title: label }, svg), path };
}

/** Every node of a small card, built once. */
function buildTile() {
  const auto = { dir: "auto" };
  const [screenIcon, rowIcon] = [icon(), icon()];
  const play = iconButton("on-screen play", "Play", PLAY);
  const sound = iconButton("on-screen sound", "Sound", SOUND_OFF);
  const ui = {
    ...buildPlayer("button button-small on-screen retry", "waits for its turn, or for the running cell"),
    screenIcon: screenIcon.path, rowIcon: rowIcon.path, play: play.node, sound: sound.node, soundIcon: sound.path,
    poster: h("img", "poster", { alt: "" }), percent: h("div", "percent", { "aria-hidden": "true" }),
    fill: h("div", "fill"), headline: h("span", "", auto), elapsed: h("span", "elapsed"),
    title: h("button", "title", { type: "button", "aria-expanded": "false", ...auto }),
    id: h("code", "id", { dir: "ltr" }), note: h("span", "note", auto),
    stop: button("button button-small stop", LABELS.stop[0]), watch: button("button button-small watch", LABELS.watch[0]),
  };
  const overlay = h("div", "overlay", {}, screenIcon.svg, ui.percent);
  const bar = h("div", "bar", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, ui.fill);
  const screen = h("div", "screen", {}, h("div", "sky", { "aria-hidden": "true" }), overlay, ui.poster, ui.play,
    ui.messageBox, bar, ui.sound);
  const foot = h("div", "foot", {}, ui.note, h("span", "buttons", {}, ui.stop, ui.watch));
  const root = h("li", "tile", {}, screen, h("div", "tile-body", {},
    h("div", "row", {}, h("span", "state", {}, rowIcon.svg, ui.headline), ui.elapsed),
    h("div", "title-box", {}, ui.title), ui.id, foot));
  return { ...ui, root, screen, overlay, bar, foot };
}

/**
 * @param {CometvidModel} model  as a card sees it: of this job alone @param {AbortSignal} viewSignal
 * @param {{open: (jobId: string) => void, tick: () => void}} host
 */
function createTile(model, viewSignal, host) {
  const controller = new AbortController();
  const { signal } = controller;
  viewSignal.addEventListener("abort", () => controller.abort(), { signal });
  const ui = buildTile();
  const player = createPlayer(ui, model, signal, () => {});
  let shown = /** @type {TileCard} */ (EMPTY_CARD);
  let [isOpened, isConnected, isBusy, isSynced] = [false, true, false, false];
  let pending = /** @type {Action | null} */ (null);
  let cancelBusy = () => {};

  /** What moves without a message. @param {number} now_s */
  const tick = (now_s) => {
    const isActive = ACTIVE_PHASES.has(shown.phase);
    say(ui.elapsed, elapsedText(shown, now_s));
    say(ui.note, isBusy ? BUSY : shown.problem
      || (isActive ? remainingText(shown, now_s) || checksText(shown.checks_at_s, now_s)
        : placeText(shown, now_s, player.isRelayed())));
    ui.foot.hidden = ui.note.hidden && ui.stop.hidden && ui.watch.hidden;
  };

  const drawScreen = () => {
    const isActive = ACTIVE_PHASES.has(shown.phase);
    const hasClip = shown.phase === "completed" && shown.clip !== null;
    if (!hasClip) isOpened = false;
    const poster = shown.poster?.startsWith("data:image/") ? shown.poster : "";
    if (ui.poster.getAttribute("src") !== poster) ui.poster.setAttribute("src", poster);
    if (ui.video.poster !== poster) ui.video.poster = poster;
    ui.poster.hidden = !poster || !hasClip || isOpened;
    ui.overlay.hidden = hasClip;
    ui.bar.hidden = !isActive;
    ui.play.hidden = !hasClip || isOpened;
    ui.sound.hidden = !isSynced;
    ui.video.controls = !isSynced;
    if (!isOpened) ui.messageBox.hidden = true;
  };

  /** @param {TileCard} card  without its kernel, if that is gone @param {boolean} isAlive @param {number} now_s */
  const update = (card, isAlive, now_s) => {
    if (card !== shown && card.phase !== shown.phase) [pending, isBusy] = [null, false];
    [shown, isConnected] = [card, isAlive];
    const phase = card.phase in ICONS ? card.phase : "unknown";
    const name = card.prompt || card.job_id;
    ui.root.dataset["phase"] = phase;
    ui.rowIcon.setAttribute("d", ICONS[phase]);
    ui.screenIcon.setAttribute("d", ICONS[phase]);
    say(ui.headline, card.headline);
    say(ui.title, name);
    sayId(ui.id, card.job_id);
    ui.play.setAttribute("aria-label", `Play the clip of ${card.job_id}`);
    ui.bar.setAttribute("aria-label", `Progress of ${card.job_id}`);
    drawProgress(ui, card.progress_percent);
    for (const action of /** @type {const} */ (["stop", "watch"])) {
      say(ui[action], LABELS[action][pending === action ? 1 : 0]);
      ui[action].hidden = !card.actions.includes(action);
      ui[action].setAttribute("aria-disabled", String(pending === action));
      ui[action].setAttribute("aria-label", `${ui[action].textContent}: ${card.job_id}`);
    }
    drawScreen();
    if (isOpened) player.update(card, isAlive);
    else player.update({ ...card, clip: null }, isAlive);
    tick(now_s);
  };

  const refresh = () => { drawScreen(); host.tick(); };
  const open = () => {
    if (isOpened || shown.phase !== "completed" || !shown.clip) return;
    isOpened = true;
    drawScreen();
    player.update(shown, isConnected);
  };

  for (const name of /** @type {const} */ (["stop", "watch"])) {
    ui[name].addEventListener("click", () => {
      if (pending) return;
      pending = name;
      model.send({ kind: "action", name });
      ui[name].setAttribute("aria-disabled", "true");
      say(ui[name], LABELS[name][1]);
      cancelBusy();
      cancelBusy = after(BUSY_AFTER_MS, () => { isBusy = pending !== null; host.tick(); }, signal);
    }, { signal });
  }
  ui.play.addEventListener("click", () => {
    open();
    player.play();
    ui.video.tabIndex = 0;
    ui.video.focus({ preventScroll: true });
  }, { signal });
  ui.title.addEventListener("click", () => host.open(shown.job_id), { signal });

  return {
    root: ui.root, title: ui.title, sound: ui.sound, video: ui.video, tick, update,
    card: () => shown,
    /** An answer of the kernel: whatever was asked for is done, or was refused. */
    heard() { [pending, isBusy] = [null, false]; cancelBusy(); },
    hasClip: () => shown.phase === "completed" && shown.clip !== null && !shown.clip.is_image && !player.hasGivenUp(),
    isJoined: () => isSynced && isOpened && !player.hasGivenUp(),
    /** Take part in playing together: the common bar rules, and nothing makes a sound. */
    join() {
      isSynced = ui.video.muted = true;
      ui.video.preload = "auto";
      open();
      refresh();
    },
    leave() {
      isSynced = ui.video.muted = false;
      ui.video.playbackRate = 1;
      refresh();
    },
    /** @param {boolean} isMuted */
    mute(isMuted) {
      ui.video.muted = isMuted;
      ui.sound.setAttribute("aria-pressed", String(!isMuted));
      ui.sound.setAttribute("aria-label", `Sound of ${shown.job_id}`);
      ui.soundIcon.setAttribute("d", isMuted ? SOUND_OFF : SOUND_ON);
    },
    /** @param {boolean} isReplaced */
    end(isReplaced) {
      player.end(isReplaced);
      controller.abort();
      ui.root.remove();
    },
  };
}
