/** The player of one clip, and every way to its bytes. */

const SILENCE_MS = 8000; // a link without metadata by then is taken for dead
const STALL_MS = 2500; // Chromium asks an expired link again for half a minute before it says "error"
const RELAY_WAIT_MS = 2000;
const HANDOVER_MS = 1500; // JupyterLab draws the replaced output well within this
const SEEK_S = 1; // clips last some seconds: the five of other players would be half of one

/** @param {string} host */
const isLoopback = (host) =>
  /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);

/** Can this page's browser load that link at all? @param {string} link @param {Location} page */
function isReachable(link, page) {
  const url = URL.canParse(link) ? new URL(link) : null;
  if (!url) return false;
  if (url.protocol === "data:") return url.pathname.startsWith("video/");
  if (url.protocol === "blob:") return true;
  if (url.protocol !== "https:" && url.protocol !== "http:") return false;
  if (page.protocol === "https:" && url.protocol === "http:" && !isLoopback(url.hostname)) return false;
  // A webview's host (vscode-webview://…) does not tell where the person's machine is.
  const isRemotePage = page.protocol.startsWith("http") && !isLoopback(page.hostname);
  return !(isRemotePage && isLoopback(url.hostname));
}

/**
 * Where the page has a file beside its notebook. VS Code's manager throws, as it knows no paths: its
 * pages have the notebook's folder for their base, and play from there.
 * @param {CometvidModel} model @param {string} path
 */
async function locate(model, path) {
  const link = path.split("/").map(encodeURIComponent).join("/");
  const resolved = await model.widget_manager?.resolveUrl?.(link).catch(() => link);
  return resolved ? new URL(resolved, document.baseURI).href : "";
}

/** All clips of a job, in order. @param {Card} card */
const clipsOf = ({ clip }) =>
  clip ? [clip, ...clip.others ?? []].sort((one, other) => (one.number ?? 0) - (other.number ?? 0)) : [];

/** The media type of bytes that a page shows as a picture: GIF, WebP; else "".
 * @param {ArrayBufferView<ArrayBuffer> | undefined} part */
function imageType(part) {
  if (!part || part.byteLength < 12) return "";
  const head = String.fromCharCode(...new Uint8Array(part.buffer, part.byteOffset, 12));
  if (head.startsWith("GIF8")) return "image/gif";
  return head.startsWith("RIFF") && head.endsWith("WEBP") ? "image/webp" : "";
}

/**
 * What the usual keys of a player do. Space is the browser's: it may be one of its own buttons that
 * has the focus, which a page cannot tell.
 * @param {HTMLVideoElement} video @returns {Record<string, () => void>}
 */
function playerKeys(video) {
  const seek = (/** @type {number} */ delta_s) => () => {
    video.currentTime = Math.min(video.duration || 0, Math.max(0, video.currentTime + delta_s));
  };
  const step = (/** @type {number} */ delta_s) => () => { video.pause(); seek(delta_s)(); };
  const turn = (/** @type {number} */ delta) => () => {
    video.volume = Math.min(1, Math.max(0, video.volume + delta));
    if (delta > 0) video.muted = false;
  };
  return {
    m: () => { video.muted = !video.muted; },
    f: () => {
      const change = document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen();
      change.catch(() => {}); // a page may forbid it
    },
    ArrowLeft: seek(-SEEK_S), ArrowRight: seek(SEEK_S), ArrowUp: turn(0.1), ArrowDown: turn(-0.1),
    ",": step(-FRAME_S), ".": step(FRAME_S),
  };
}

/** Play, if need be without its sound: a browser lets a page be heard only where somebody has clicked.
 * @param {HTMLVideoElement} video */
const play = (video) => video.play().catch((error) => {
  if (error?.name !== "NotAllowedError" || video.muted) return undefined;
  video.muted = true;
  return video.play().catch(() => {});
});

/** Whether it is known that a clip has no sound. @param {HTMLVideoElement} video */
const isSilent = (video) => {
  const { webkitAudioDecodedByteCount: bytes, mozHasAudio } = /** @type {any} */ (video);
  return bytes === 0 || mozHasAudio === false;
};

/**
 * Clips are silent until somebody wants to hear one; from then on those that are started in this page
 * are heard. Not where the bar of a gallery rules, which takes the controls away.
 * @param {HTMLVideoElement} video @param {HTMLButtonElement} unmute @param {AbortSignal} signal
 */
function keepSound(video, unmute, signal) {
  video.muted = SHARED.isMuted;
  const draw = () => { unmute.hidden = video.paused || !video.muted || !video.controls || isSilent(video); };
  for (const name of ["play", "pause", "timeupdate"]) video.addEventListener(name, draw, { signal });
  video.addEventListener("play", () => { if (video.controls) video.muted = SHARED.isMuted; }, { signal });
  video.addEventListener("volumechange", () => {
    if (video.controls) SHARED.isMuted = video.muted;
    draw();
  }, { signal });
  unmute.addEventListener("click", () => {
    video.muted = false;
    video.focus({ preventScroll: true }); // the button goes
  }, { signal });
}

/**
 * Nodes of a player. `waiting`: the reason to show while the kernel is slow to send bytes.
 * @param {string} retryName @param {string} waiting
 */
function buildPlayer(retryName, waiting) {
  const message = h("div", "message-text", { dir: "auto" });
  const retry = button(retryName, "Try again");
  const unmute = h("button", "button on-screen unmute", { type: "button" }, sign(SOUND_OFF), "Sound on");
  unmute.hidden = true;
  return {
    message, retry, waiting, unmute, messageBox: h("div", "message", {}, message, retry),
    video: h("video", "video", { controls: "", playsinline: "", preload: "metadata", loop: "" }),
    image: h("img", "video", { alt: "" }), // a GIF, which no <video> plays
  };
}

/**
 * The player: saved file, then link, then bytes through the kernel; on each change of source the
 * place and the play state are kept.
 * @param {ReturnType<typeof buildPlayer> & {screen: HTMLElement}} ui @param {CometvidModel} model @param {AbortSignal} signal
 * @param {() => void} onSource called when the source has changed
 * @param {(ratio: number) => void} [onShape] called with the clip's own width / height
 */
function createPlayer(ui, model, signal, onSource, onShape = () => {}) {
  const { video, image } = ui;
  /** @type {Set<string>} */
  const tried = new Set();
  const place = { at_s: 0, isPlaying: false };
  /** @type {WeakSet<Element>} */
  let strangers = new WeakSet(); // weak: or a card that stays would keep all those that have gone
  let clip = /** @type {Clip | null} */ (null);
  let [attempt, isReady, hasGivenUp, reason, objectUrl, jobId] = [0, false, false, "", "", ""];
  let [hasKernel, isImage, isForeign, number] = [true, false, false, 0];
  let watchCommand = /** @type {string | null} */ (null);
  let [cancelSilence, cancelStall] = [() => {}, () => {}];
  /** @type {((source: string) => void)[]} */
  let awaiting = [];
  keepSound(video, ui.unmute, signal);
  // Views of one model share its messages, so request numbers start at a random place.
  let request = Math.floor(Math.random() * 2 ** 30);
  /** @typedef {{request: number, parts: ArrayBufferView<ArrayBuffer>[], received_bytes: number,
   *   cancelWait: () => void, resolve: (source: string) => void, reject: (error: Error) => void}} Relay */
  let relay = /** @type {Relay | null} */ (null);

  /** @param {string} text empty = the video itself */
  const show = (text, isFinal = false) => {
    say(ui.message, text);
    ui.messageBox.hidden = !text;
    ui.retry.hidden = !isFinal;
    video.hidden = Boolean(text) || isImage;
    image.hidden = Boolean(text) || !isImage;
  };

  const fetchThroughKernel = () => new Promise((/** @type {(source: string) => void} */ resolve, reject) => {
    const head = clip?.url || clip?.path
      ? "This link can't be reached from the browser, fetching the clip through the kernel…"
      : "Fetching the clip through the kernel…";
    show(head);
    const cancelWait = after(RELAY_WAIT_MS, () => show(`${head} (${ui.waiting})`), signal);
    relay = { request: ++request, parts: [], received_bytes: 0, cancelWait, resolve, reject };
    model.send({ kind: "fetch_clip", request, number });
  });

  listen(model, "msg:custom", (/** @type {any} */ content, /** @type {DataView<ArrayBuffer>[]} */ buffers) => {
    if (!relay || content?.request !== relay.request) return;
    relay.cancelWait();
    if (content.kind === "clip_failed") return relay.reject(new Error(String(content.problem)));
    if (content.kind !== "clip_chunk") return;
    if (content.offset !== relay.received_bytes) return relay.reject(new Error("It arrived incomplete."));
    for (const part of buffers ?? []) {
      relay.parts.push(part);
      relay.received_bytes += part.byteLength;
    }
    const amount = content.total ? percentText(Math.floor((100 * relay.received_bytes) / content.total))
      : bytesText(relay.received_bytes, null);
    show(`${(ui.message.textContent ?? "").split("…")[0]}… ${amount}`);
    if (!content.is_last) return;
    if (content.total && content.total !== relay.received_bytes) {
      return relay.reject(new Error("It arrived incomplete."));
    }
    const type = imageType(relay.parts[0]);
    isImage = type !== "";
    objectUrl = URL.createObjectURL(new Blob(relay.parts, { type: type || "video/mp4" }));
    relay.resolve(objectUrl);
    relay = null;
  }, signal);

  /** In the order they are tried. @returns {{key: string, open: () => Promise<string | null>}[]} */
  const sources = () => {
    const { path = null, url = null, data_url = null } = clip ?? {};
    const list = [];
    if (data_url) list.push({ key: "data", open: async () => data_url });
    if (path && model.widget_manager?.resolveUrl) {
      list.push({ key: `path ${path}`, open: async () => {
        const absolute = await locate(model, path);
        return isReachable(absolute, location) ? absolute : null;
      } });
    }
    if (url && isReachable(url, location)) list.push({ key: `url ${url}`, open: async () => url });
    if (hasKernel) list.push({ key: "kernel", open: fetchThroughKernel });
    return list.filter(({ key }) => !tried.has(key));
  };

  /** Let go of the clip and its bytes. */
  const empty = () => {
    if (objectUrl) URL.revokeObjectURL(objectUrl);
    objectUrl = "";
    image.removeAttribute("src");
    if (!video.hasAttribute("src")) return;
    video.removeAttribute("src"); // or a late error of this source would end the next one
    video.load();
  };

  /** The bytes are here, and this browser has no decoder for them: no other road would help. */
  const yieldToCodec = () => {
    if (!clip?.codec) return false;
    attempt++;
    cancelSilence();
    empty();
    [isReady, hasGivenUp, isForeign] = [false, true, true];
    show(`This browser does not play ${clip.codec}.`);
    return true;
  };

  const source = () => (isImage ? image : video).getAttribute("src") ?? "";
  /** Tell those who wait for it what is played, or that nothing is. */
  const answer = () => {
    const callbacks = awaiting;
    awaiting = [];
    for (const callback of callbacks) callback(source());
  };

  const climb = async () => {
    const mine = ++attempt;
    cancelSilence();
    cancelStall();
    [isReady, hasGivenUp, relay] = [false, false, null];
    empty();
    isImage = Boolean(clip?.is_image);
    const [next] = sources();
    if (!next) {
      hasGivenUp = true;
      answer();
      return show(`The clip can't be played here. ${reason} For a fresh link: ${watchCommand ?? "watch it again"}`, true);
    }
    tried.add(next.key);
    const src = await next.open().catch((error) => { reason = String(error?.message ?? error); return null; });
    if (mine !== attempt || signal.aborted) return;
    if (!src) return climb();
    show("");
    (isImage ? image : video).src = src;
    answer();
    onSource();
    const onSilence = () => {
      // Not dead: a page in the background loads later, and data savers load on play only.
      const isComing = isImage && image.naturalWidth > 0; // it is loaded when all of it is there
      const isPatient = document.hidden || isComing || (video.networkState === video.NETWORK_IDLE && video.paused);
      if (isPatient) cancelSilence = after(SILENCE_MS, onSilence, signal);
      else climb();
    };
    cancelSilence = after(SILENCE_MS, onSilence, signal);
  };

  /** @param {string} name @param {() => void} listener */
  const on = (name, listener) => video.addEventListener(name, listener, { signal });
  on("loadedmetadata", () => {
    cancelSilence();
    if (!video.videoWidth && yieldToCodec()) return; // its sound alone
    isReady = true;
    if (video.videoWidth) onShape(video.videoWidth / video.videoHeight);
    if (place.at_s > 0) video.currentTime = place.at_s;
    if (place.isPlaying) play(video);
  });
  const keepTime = () => { if (isReady && !video.error) place.at_s = video.currentTime; };
  on("timeupdate", keepTime);
  on("seeking", keepTime);
  on("play", () => { place.isPlaying = true; });
  on("pause", () => { if (isReady && !video.error) place.isPlaying = false; });
  /** Out of bytes behind an expired link: no use in waiting for the browser's own verdict. */
  const watchStall = () => {
    cancelStall();
    cancelStall = after(STALL_MS, () => {
      const isStuck = isReady && (video.seeking || (!video.paused && video.readyState < video.HAVE_FUTURE_DATA));
      if (!isStuck) return;
      const isExpired = (clip?.expires_at_s ?? Infinity) < Date.now() / 1000;
      if (isExpired && video.src === clip?.url) climb();
      else watchStall();
    }, signal);
  };
  on("waiting", watchStall);
  on("seeking", watchStall);
  image.addEventListener("load", () => {
    cancelSilence();
    onShape(image.naturalWidth / image.naturalHeight);
  }, { signal });
  image.addEventListener("error", () => { if (image.hasAttribute("src")) climb(); }, { signal });
  on("error", () => {
    if (yieldToCodec()) return;
    reason = "The link may have expired, or this browser can't play the format.";
    climb();
  });
  ui.retry.addEventListener("click", () => { tried.clear(); climb(); }, { signal });
  const keys = playerKeys(video);
  ui.screen.addEventListener("keydown", (event) => {
    const isOwn = video.controls && isReady && !(event.ctrlKey || event.metaKey || event.altKey);
    const act = isOwn ? keys[event.key.length === 1 ? event.key.toLowerCase() : event.key] : undefined;
    if (!act) return;
    // Before the browser's own player hears of it, whose step is a hundredth of the clip.
    event.preventDefault();
    event.stopPropagation();
    act();
  }, { capture: true, signal });

  return {
    /** @param {Card} card @param {boolean} isConnected  false = nobody would answer `fetch_clip` */
    update(card, isConnected) {
      const isFirst = !clip;
      hasKernel = isConnected;
      if (!hasKernel) relay?.reject(new Error("The kernel stopped."));
      const every = card.phase === "completed" ? clipsOf(card) : [];
      clip = every.find((one) => (one.number ?? 0) === number) ?? every[0] ?? null;
      number = clip?.number ?? 0;
      [jobId, watchCommand] = [card.job_id, card.watch_command];
      if (!clip) {
        if (isFirst) return;
        attempt++;
        cancelSilence();
        [relay, isReady, isForeign, place.at_s, place.isPlaying] = [null, false, false, 0, false];
        tried.clear();
        empty();
        for (const node of [video, image, ui.unmute]) node.remove();
        return;
      }
      if (isFirst) {
        video.setAttribute("aria-label", `Clip of ${card.job_id}`);
        image.alt = `Clip of ${card.job_id}`;
        ui.screen.append(video, image, ui.unmute);
        strangers = new WeakSet(document.querySelectorAll("video"));
        climb();
      } else if (hasGivenUp && !isForeign && sources().length) climb();
      else if (clip.codec && hasGivenUp && !isForeign) yieldToCodec();
    },
    /** Show another clip of the job. @param {Clip} next */
    choose(next) {
      if (next.number === number) return;
      [clip, number, isForeign, place.at_s] = [next, next.number ?? 0, false, 0];
      tried.clear();
      climb();
    },
    number: () => number,
    clip: () => clip,
    /** What is played, as soon as that is known; "" = nothing can be. @returns {Promise<string>} */
    source: () => (source() || hasGivenUp || !clip ? Promise.resolve(source())
      : new Promise((resolve) => { awaiting.push(resolve); })),
    /** Play now, or as soon as there is something to play. */
    play() {
      place.isPlaying = true;
      if (isReady) play(video);
    },
    hasGivenUp: () => hasGivenUp,
    isRelayed: () => objectUrl !== "" && (isImage ? image : video).src === objectUrl,
    /** The view ends: pass place and play state to the static record that takes its seat.
     * @param {boolean} [isReplaced] false = nothing takes its seat */
    end(isReplaced = true) {
      empty();
      if (isReplaced && clip && (place.isPlaying || place.at_s > 0)) handOver(jobId, place, strangers);
    },
  };
}

/**
 * After the output was replaced by `<video title="<job id>" …>` (cards/html.py writes it), go on there.
 * Runs beyond the view on purpose, and ends by itself.
 * @param {string} jobId @param {{at_s: number, isPlaying: boolean}} place @param {WeakSet<Element>} strangers
 */
function handOver(jobId, { at_s, isPlaying }, strangers) {
  const until_ms = Date.now() + HANDOVER_MS;
  const look = () => {
    const heir = [...document.querySelectorAll("video")].find(
      (video) => video.title === jobId && !strangers.has(video) && video.paused
        && !video.closest(".cometvid-beside")); // out of sight while a widget lives
    if (heir) {
      heir.currentTime = at_s;
      heir.muted = SHARED.isMuted;
      if (isPlaying) play(heir);
    } else if (Date.now() < until_ms) setTimeout(look, 50);
  };
  look();
}
