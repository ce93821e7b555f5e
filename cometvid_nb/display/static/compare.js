/**
 * Two takes in one view, at the same moment of both: side by side, parted by a line, in turn, or
 * their difference.
 */

const BLINK_MS = 500; // two changes a second: WCAG 2.3.1 allows three
const SAME_MS = 400;
const SAME_WITHIN = 3; // of 255: what a small picture of the same frame may differ by
const LINE_STEP_PERCENT = 2;
const PAN_STEP_PX = 32;

/**
 * @typedef {object} Comparable  A job whose clip can be compared.
 * @property {string} id
 * @property {string} label
 *
 * What the gallery knows of its jobs.
 * @typedef {object} Takes
 * @property {() => Comparable[]} list  those on the page, in its order
 * @property {(id: string) => Card | null} card  null = it is not on this page any more
 * @property {(id: string) => CometvidModel} model  as the card of this job alone sees it
 * @property {() => boolean} hasKernel
 * @property {(id: string, rating: Rating) => void} rate
 */

/**
 * @param {Takes} takes @param {[string, string]} first  the two to begin with
 * @param {() => void} onClose @param {AbortSignal} viewSignal
 */
function createCompare(takes, first, onClose, viewSignal) {
  const controller = new AbortController();
  const { signal } = controller;
  viewSignal.addEventListener("abort", () => controller.abort(), { signal });
  const ui = buildCompare();
  let look = /** @type {Look} */ ("side");
  let [isLooping, isActual, isGained, isOther, line_percent, heard] = [true, false, false, false, 50, -1];
  let pan_px = { x: 0, y: 0 };
  let meant = 0; // the take that a key rates: the one that a hand was at last
  let [cancelBlink, cancelSame] = [() => {}, () => {}];
  let listed = "";
  const sides = ui.sides.map((nodes) => createSide(nodes, takes, signal, () => draw()));
  const videos = () => sides.filter((side) => side.hasClip()).map(({ video }) => video);
  const sync = createSync(videos, () => drawPlay(), signal, () => isLooping);
  const playhead = createPlayhead(ui, sync, signal);

  function drawPlay() {
    const label = sync.isWanted() ? "Pause" : "Play";
    if (ui.playText.textContent !== label) {
      ui.playText.textContent = label;
      ui.play.node.setAttribute("aria-label", `${label} both`);
      ui.play.node.title = `${label} both`;
      ui.play.path.setAttribute("d", sync.isWanted() ? PAUSE : PLAY);
    }
    playhead.draw(videos().length);
  }

  function drawChoices() {
    const list = takes.list();
    const key = JSON.stringify([list, sides.map(({ id }) => id())]);
    if (key === listed) return;
    listed = key;
    for (const side of sides) {
      const isGone = !list.some(({ id }) => id === side.id());
      // A take beside itself tells nothing.
      const others = list.filter(({ id }) => id === side.id() || !sides.some((one) => one.id() === id));
      const all = isGone ? [{ id: side.id(), label: side.id() }, ...others] : others;
      side.choice.replaceChildren(...all.map(({ id, label }) => h("option", "", { value: id }, label)));
      side.choice.value = side.id();
    }
  }

  /** The size of a clip at one of its pixels for one of the screen. @param {HTMLVideoElement} video */
  const actual_px = (video) => ({ x: video.videoWidth / devicePixelRatio, y: video.videoHeight / devicePixelRatio });

  function drawActual() {
    const box = sides[0]?.screen.getBoundingClientRect() ?? new DOMRect();
    const sizes_px = sides.map(({ video }) => actual_px(video));
    const spare_px = {
      x: Math.max(0, ...sizes_px.map(({ x }) => x - box.width)) / 2,
      y: Math.max(0, ...sizes_px.map(({ y }) => y - box.height)) / 2,
    };
    const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(most, Math.max(-most, value));
    pan_px = { x: within(pan_px.x, spare_px.x), y: within(pan_px.y, spare_px.y) };
    sides.forEach(({ video }, place) => {
      const { x, y } = sizes_px[place] ?? { x: 0, y: 0 };
      video.style.cssText = isActual && x ? `inline-size:${x}px;block-size:${y}px;inset:calc(50% - ${y / 2 - pan_px.y}px) auto auto calc(50% - ${x / 2 - pan_px.x}px)` : "";
    });
  }

  function draw() {
    drawChoices();
    ui.root.dataset["look"] = look;
    ui.root.classList.toggle("cometvid-is-actual", isActual);
    ui.root.classList.toggle("cometvid-is-gained", isGained && look === "difference");
    for (const { name, node } of ui.looks) node.setAttribute("aria-pressed", String(name === look));
    ui.actual.setAttribute("aria-pressed", String(isActual));
    ui.gain.setAttribute("aria-pressed", String(isGained));
    ui.loop.setAttribute("aria-pressed", String(isLooping));
    ui.gain.hidden = look !== "difference";
    ui.line.hidden = look !== "wipe";
    ui.line.setAttribute("aria-valuenow", String(Math.round(line_percent)));
    ui.root.style.setProperty("--cometvid-line-at", `${line_percent}%`);
    ui.root.style.setProperty("--cometvid-ratio", String(sides[0]?.ratio() ?? 16 / 9));
    sides.forEach((side, place) => {
      side.screen.classList.toggle("cometvid-is-meant", meant === place);
      side.screen.classList.toggle("cometvid-is-away", look === "blink" && isOther !== (place === 1));
      side.mute(place !== heard);
    });
    drawActual();
    drawPlay();
  }

  function blink() {
    cancelBlink();
    if (look !== "blink") return;
    cancelBlink = after(BLINK_MS, () => { isOther = !isOther; draw(); blink(); }, signal);
  }

  /** Black alone would not say whether there is nothing to see, or no difference. */
  function tellSame() {
    cancelSame();
    say(ui.told, look === "difference" && isSamePicture(sides.map(({ video }) => video)) ? "The same picture" : "");
    if (look === "difference") cancelSame = after(SAME_MS, tellSame, signal);
  }

  /** @param {Look} next */
  const lookBy = (next) => {
    [look, isOther] = [next, false];
    draw();
    blink();
    tellSame();
  };

  /** @param {number} percent */
  const moveLine = (percent) => {
    line_percent = Math.min(100, Math.max(0, percent));
    draw();
  };

  /** @param {number} x_px @param {number} y_px */
  const pan = (x_px, y_px) => {
    pan_px = { x: pan_px.x + x_px, y: pan_px.y + y_px };
    draw();
  };

  /** A clip in another's place begins where the other stands. @param {number} place @param {string} id */
  const choose = (place, id) => {
    const at_s = sync.clock_s();
    const isPlaying = sync.isWanted();
    if (isPlaying) sync.pause();
    sides[place]?.choose(id);
    sync.seek(at_s);
    if (isPlaying) sync.play();
    draw();
  };

  ui.sides.forEach(({ choice, sound, screen, take }, place) => {
    const mean = () => { if (meant !== place) { meant = place; draw(); } };
    for (const name of ["focusin", "pointerdown"]) take.addEventListener(name, mean, { signal });
    screen.addEventListener("pointerenter", mean, { signal });
    choice.addEventListener("change", () => choose(place, choice.value), { signal });
    sound.addEventListener("click", () => { heard = heard === place ? -1 : place; draw(); }, { signal });
  });
  ui.swap.addEventListener("click", () => {
    const ids = sides.map((side) => side.id()).reverse();
    ids.forEach((id, place) => choose(place, id));
  }, { signal });
  for (const { name, node } of ui.looks) node.addEventListener("click", () => lookBy(name), { signal });
  ui.actual.addEventListener("click", () => { isActual = !isActual; pan_px = { x: 0, y: 0 }; draw(); }, { signal });
  ui.gain.addEventListener("click", () => { isGained = !isGained; draw(); }, { signal });
  ui.loop.addEventListener("click", () => { isLooping = !isLooping; draw(); }, { signal });
  const playOrPause = () => (sync.isWanted() ? sync.pause() : sync.play());
  ui.play.node.addEventListener("click", playOrPause, { signal });
  ui.close.addEventListener("click", onClose, { signal });

  // ---- hands

  /** Where the line would stand under the pointer. @param {PointerEvent} event */
  const percentAt = (event) => {
    const box = ui.stage.getBoundingClientRect();
    return (100 * (event.clientX - box.left)) / (box.width || 1);
  };
  ui.stage.addEventListener("pointerdown", (event) => {
    const isOnButton = event.target instanceof Element && event.target.closest("button, select");
    const isForLine = look === "wipe" && (!isActual || event.target === ui.line);
    if (isOnButton || event.button !== 0 || !event.isPrimary || (!isForLine && !isActual)) return;
    event.preventDefault();
    (isForLine ? ui.line : ui.stage).focus({ preventScroll: true });
    ui.stage.setPointerCapture(event.pointerId);
    const begun_percent = line_percent;
    if (isForLine) moveLine(percentAt(event));
    const drag = new AbortController();
    const own = { signal: AbortSignal.any([signal, drag.signal]) };
    let last = event;
    ui.stage.addEventListener("pointermove", (moved) => {
      if (moved.pointerId !== event.pointerId) return; // another finger
      if (isForLine) moveLine(percentAt(moved));
      // Not `movementX`: it counts in pixels of a page that is not zoomed, and in Firefox a finger's
      // first one from where the mouse stood.
      else pan(moved.clientX - last.clientX, moved.clientY - last.clientY);
      last = moved;
    }, own);
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
      ui.stage.addEventListener(name, (ended) => {
        if (ended.pointerId !== event.pointerId) return;
        drag.abort();
        if (name === "pointercancel") moveLine(begun_percent); // the finger scrolls the page
      }, own);
    }
  }, { signal });
  /** @type {Record<string, [number, number]>} */
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  ui.stage.addEventListener("keydown", (event) => {
    const isOnButton = event.target instanceof Element && event.target.closest("button");
    if (event.ctrlKey || event.metaKey || event.altKey || isOnButton) return;
    const isForLine = look === "wipe" && (event.target === ui.line || !isActual);
    const [right, down] = arrows[event.key] ?? [0, 0];
    const ends = isForLine ? { Home: 0, End: 100 }[event.key] : undefined;
    if (ends !== undefined) moveLine(ends);
    else if ((right || down) && isForLine) moveLine(line_percent + (right - down) * LINE_STEP_PERCENT);
    else if ((right || down) && isActual) pan(-right * PAN_STEP_PX, -down * PAN_STEP_PX);
    else if (right) sync.step(right);
    else if (event.key === " ") playOrPause();
    else return;
    event.preventDefault();
  }, { signal });
  ui.root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation(); // JupyterLab would leave the cell's edit mode
      onClose();
      return;
    }
    const side = sides[meant];
    const rating = side?.rated(event);
    if (rating) side?.rate(rating);
    else if (event.key === "," || event.key === ".") sync.step(event.key === "," ? -1 : 1);
  }, { signal });

  const resized = new ResizeObserver(() => drawActual());
  resized.observe(ui.stage);
  first.forEach((id, place) => sides[place]?.choose(id));
  draw();
  return {
    root: ui.root,
    focus: () => ui.close.focus({ preventScroll: true }),
    /** The gallery has changed. */
    update() {
      for (const side of sides) side.update();
      draw();
    },
    pair: () => /** @type {[string, string]} */ (sides.map((side) => side.id())),
    end() {
      sync.end();
      resized.disconnect();
      for (const side of sides) side.end();
      controller.abort();
      ui.root.remove();
    },
  };
}

/** Whether clips show the same now; false also where a page may not read them. @param {HTMLVideoElement[]} videos */
function isSamePicture(videos) {
  if (videos.some((video) => video.readyState < video.HAVE_CURRENT_DATA || video.seeking)) return false;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [480, 270];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return false;
  try {
    const [one, other] = videos.map((video) => {
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      return context.getImageData(0, 0, canvas.width, canvas.height).data;
    });
    return Boolean(one?.every((value, place) => Math.abs(value - (other?.[place] ?? 0)) <= SAME_WITHIN));
  } catch { // of another origin
    return false;
  }
}

/**
 * @param {ReturnType<typeof buildSide>} ui @param {Takes} takes @param {AbortSignal} viewSignal
 * @param {() => void} onShape  its clip has another shape
 */
function createSide(ui, takes, viewSignal, onShape) {
  let [jobId, shape] = ["", 0];
  let card = /** @type {Card | null} */ (null);
  let player = /** @type {ReturnType<typeof createPlayer> | null} */ (null);
  let own = new AbortController();
  const update = () => {
    card = takes.card(jobId) ?? card;
    if (card) player?.update(card, takes.hasKernel());
    drawVerdict();
  };
  const now = () => ratingOf(card ?? {});
  const rate = (/** @type {Rating} */ rating) => { if (takes.hasKernel()) takes.rate(jobId, rating); };
  const drawVerdict = createVerdict(ui, now, rate, viewSignal);
  const end = () => {
    player?.update({ ...EMPTY_CARD, job_id: jobId }, takes.hasKernel());
    player?.end(false);
    own.abort();
    player = null;
  };
  return {
    screen: ui.screen, video: ui.video, choice: ui.choice, update, end, rate,
    /** What a key makes of its rating. @param {KeyboardEvent} event */
    rated: (event) => ratedByKey(event, now()),
    id: () => jobId,
    ratio: () => shape || (card?.aspect_ratio ?? 16 / 9),
    hasClip: () => player !== null && !player.hasGivenUp() && ui.video.hasAttribute("src"),
    /** @param {boolean} isMuted */
    mute(isMuted) {
      ui.video.muted = isMuted;
      drawSound(ui.sound, ui.soundIcon, isMuted, `take ${ui.letter}`);
    },
    /** @param {string} id */
    choose(id) {
      if (player) end();
      own = new AbortController();
      [jobId, shape, card] = [id, 0, null];
      const signal = AbortSignal.any([viewSignal, own.signal]);
      player = createPlayer(ui, takes.model(id), signal, () => {}, (ratio) => { shape = ratio; onShape(); });
      ui.video.preload = "auto";
      update();
    },
  };
}
