/**
 * The record of a gallery where scripts may run, which only this makes more than a still: it gives its
 * place to the live gallery where the kernel's model of it is there (gallery_record.js), and else plays
 * all its clips as one. Joined into a script of its own, which the notebook's file holds.
 */

/** Cut off from the page's styles, and they from it. @param {string} name @param {Node[]} children */
function island(name, ...children) {
  const host = h("div", name);
  const style = document.createElement("style");
  style.textContent = RECORD_STYLE;
  host.attachShadow({ mode: "open" }).append(style, h("div", "island", {}, ...children));
  return host;
}

/** A clip of the record as one that can take part. @param {HTMLVideoElement} video
 * @param {AbortSignal} signal */
function memberOf(video, signal) {
  const { node: sound, path } = iconButton("icon-button sound", "Sound", SOUND_OFF);
  const seat = island("sound-seat", sound);
  seat.style.cssText = "position:absolute;right:8px;bottom:8px;z-index:1";
  seat.hidden = true;
  video.after(seat);
  let isSynced = false;
  /** @type {Member & {video: HTMLVideoElement}} */
  const member = {
    video, sound,
    hasClip: () => !video.error && !video.closest("details:not([open])"), // rejected, folded away
    isJoined: () => isSynced && member.hasClip(),
    join() {
      isSynced = video.muted = true;
      video.loop = false; // all wait for the longest one
      [video.controls, seat.hidden, video.preload] = [false, false, "auto"];
    },
    leave() {
      isSynced = false;
      video.loop = true;
      [video.controls, seat.hidden, video.playbackRate] = [true, true, 1];
    },
    mute(isMuted) {
      video.muted = isMuted;
      drawSound(sound, path, isMuted, video.title);
    },
  };
  signal.addEventListener("abort", () => seat.remove());
  return member;
}

/** @param {HTMLElement} still  the record as it is without scripts @param {AbortSignal} signal */
function wakeStill(still, signal) {
  keepKeys(still, signal);
  const again = still.querySelector(".cometvid-again");
  const command = again?.querySelector("code");
  if (!again || !command) return;
  const copy = button("button button-small", "Copy");
  copy.addEventListener("click", () => copyText(copy, command.textContent ?? "", signal, command), { signal });
  again.append(island("copy-seat", copy));

  const members = [...still.querySelectorAll("video")].map((video) => memberOf(video, signal));
  if (members.length < 2) return;
  const ui = buildSyncBar();
  const bar = createSyncBar(ui, () => members, () => {}, signal);
  for (const one of members) one.sound.addEventListener("click", () => bar.hear(one), { signal });
  const seat = island("sync-seat", ui.bar);
  seat.style.cssText = "margin:-4px 0 14px";
  again.after(seat);
  signal.addEventListener("abort", () => { bar.leave(); seat.remove(); });
}

/** @param {HTMLOrSVGScriptElement | null} script  the one that runs @param {string} token */
function wakeRecord(script, token) {
  const root = script?.parentElement;
  const still = /** @type {HTMLElement | null | undefined} */ (root?.querySelector(".cometvid-still"));
  if (!root || !still) return;
  root.dataset["cometvidRecord"] = token;
  // JupyterLab keeps some width free beside a text, which the live gallery had.
  const output = /** @type {HTMLElement | null} */ (root.closest(".jp-RenderedHTMLCommon"));
  if (output) output.style.paddingRight = "0";
  const controller = new AbortController();
  root.addEventListener(RECORD_TAKEN, () => controller.abort(), { once: true });
  const isFree = root.dispatchEvent(new CustomEvent(RECORD_SHOWN, { bubbles: true, cancelable: true }));
  if (isFree) wakeStill(still, controller.signal);
}
