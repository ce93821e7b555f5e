/**
 * One small card of a gallery. It loads no clip before somebody wants to see it.
 *
 * @typedef {Card & {poster?: string | null, take?: number | null}} TileCard  poster: a small picture as a
 *   data URL; take: which of the jobs with this prompt it is, null = the only one
 */

/** Every node of a small card, built once. */
function buildTile() {
  const auto = { dir: "auto" };
  const [screenIcon, rowIcon] = [icon(), icon()];
  const play = iconButton("icon-button on-screen play", "Play", PLAY);
  const sound = iconButton("icon-button on-screen sound", "Sound", SOUND_OFF);
  const ui = {
    ...buildPlayer("button button-small on-screen retry", "waits for its turn, or for the running cell"),
    screenIcon: screenIcon.path, rowIcon: rowIcon.path, play: play.node, sound: sound.node, soundIcon: sound.path,
    poster: h("img", "poster", { alt: "" }), percent: h("div", "percent", { "aria-hidden": "true" }),
    fill: h("div", "fill"), headline: h("span", "", auto), elapsed: h("span", "elapsed"),
    title: h("button", "title", { type: "button", "aria-expanded": "false", ...auto }),
    take: h("b", "take"), words: h("span", "", auto), reason: h("span", "reason", auto),
    id: h("code", "id", { dir: "ltr" }), note: h("span", "tile-note", auto),
    stop: button("button button-small stop", LABELS.stop[0]), watch: button("button button-small watch", LABELS.watch[0]),
    copy: button("button button-small copy", "Copy command"),
  };
  ui.title.append(ui.take, ui.words);
  const overlay = h("div", "overlay", {}, screenIcon.svg, ui.percent, ui.reason);
  const bar = h("div", "bar", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, ui.fill);
  const screen = h("div", "screen", {}, h("div", "sky", { "aria-hidden": "true" }), overlay, ui.poster, ui.play,
    ui.messageBox, bar, ui.sound);
  const foot = h("div", "foot", {}, ui.note);
  const actions = h("div", "actions-seat", {}, h("span", "buttons", {}, ui.stop, ui.watch, ui.copy));
  // Focusable: after a click anywhere on it, keys rate it.
  const root = h("li", "tile", { tabindex: "-1" }, screen, h("div", "tile-body", {}, actions,
    h("div", "row", {}, h("span", "state", {}, rowIcon.svg, ui.headline), ui.elapsed),
    h("div", "title-box", {}, ui.title), ui.id, foot));
  return { ...ui, root, screen, overlay, bar, foot, actions };
}

/**
 * @param {CometvidModel} model  as a card sees it: of this job alone @param {AbortSignal} viewSignal
 * @param {{open: (jobId: string) => void, tick: () => void, rate: (jobId: string, rating: Rating) => void, isAlive: () => boolean}} host
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
  const actions = createActions({
    video: ui.video, keys: ui.root, isSmall: true, card: () => shown,
    clip: () => player.clip() ?? (shown.phase === "completed" ? clipsOf(shown)[0] ?? null : null),
    source: () => { open(); return player.source(); },
    rate: (rating) => host.rate(shown.job_id, rating), isAlive: host.isAlive,
  }, signal);
  ui.actions.append(actions.root);

  /** What moves without a message. @param {number} now_s */
  const tick = (now_s) => {
    const isActive = ACTIVE_PHASES.has(shown.phase);
    say(ui.elapsed, elapsedText(shown, now_s));
    const problem = isActive || shown.clip ? shown.problem : shown.advice; // else it stands on the screen
    say(ui.note, isBusy ? BUSY : problem
      || (isActive ? remainingText(shown, now_s) || checksText(shown.checks_at_s, now_s)
        : placeText(shown, now_s, player.isRelayed())));
    ui.note.title = ui.note.textContent ?? "";
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
    const take = shown.take ? `Take ${shown.take}` : "";
    ui.root.dataset["phase"] = phase;
    ui.rowIcon.setAttribute("d", ICONS[phase]);
    ui.screenIcon.setAttribute("d", ICONS[phase]);
    say(ui.headline, card.headline);
    say(ui.take, take);
    say(ui.words, [take && card.prompt ? " · " : "", card.prompt || (take ? "" : card.job_id)].join(""));
    say(ui.reason, ACTIVE_PHASES.has(phase) ? "" : card.problem);
    sayId(ui.id, card.job_id);
    ui.play.setAttribute("aria-label", `Play the clip of ${card.job_id}`);
    ui.bar.setAttribute("aria-label", `Progress of ${card.job_id}`);
    drawProgress(ui, ACTIVE_PHASES.has(phase) ? card.progress_percent : null);
    for (const action of /** @type {const} */ (["stop", "watch"])) {
      say(ui[action], LABELS[action][pending === action ? 1 : 0]);
      ui[action].hidden = !card.actions.includes(action);
      ui[action].setAttribute("aria-disabled", String(pending === action));
      ui[action].setAttribute("aria-label", `${ui[action].textContent}: ${card.job_id}`);
    }
    ui.copy.hidden = !card.command || card.actions.length > 0 || card.phase === "completed";
    ui.copy.setAttribute("aria-label", `Copy the command that helps: ${card.job_id}`);
    ui.copy.title = card.command ?? "";
    drawScreen();
    if (isOpened) player.update(card, isAlive);
    else player.update({ ...card, clip: null }, isAlive);
    actions.draw();
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
  ui.copy.addEventListener("click", () => copyText(ui.copy, shown.command ?? "", signal), { signal });
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
      ui.video.loop = false; // all wait for the longest one
      ui.video.preload = "auto";
      open();
      refresh();
    },
    leave() {
      isSynced = false;
      [ui.video.muted, ui.video.loop, ui.video.playbackRate] = [SHARED.isMuted, true, ui.video.defaultPlaybackRate];
      refresh();
    },
    /** @param {boolean} isMuted */
    mute(isMuted) {
      ui.video.muted = isMuted;
      drawSound(ui.sound, ui.soundIcon, isMuted, shown.job_id);
    },
    /** Out of sight: it neither plays nor takes part. */
    rest() {
      ui.video.pause();
      if (isSynced) this.leave();
    },
    /** @param {boolean} isReplaced */
    end(isReplaced) {
      player.end(isReplaced);
      controller.abort();
      ui.root.remove();
    },
  };
}
