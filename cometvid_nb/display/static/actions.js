/** The row beneath a clip at work. The same on a card, on a tile, and in a record whose kernel lives. */

const WIDE_ROW_PX = 500; // from here on all of it has room in one row
const NO_KERNEL = "No kernel runs here. In a notebook:";

/**
 * @typedef {object} ActionsHost  What the row acts on.
 * @property {HTMLVideoElement} video
 * @property {HTMLElement} keys  the place whose keys rate the clip
 * @property {boolean} isSmall  a tile: all but the verdict is in the boxes
 * @property {() => Card} card
 * @property {() => Clip | null} clip  the one that is shown, of several
 * @property {() => Promise<string>} source  what the player plays, loaded for it where it is not yet; "" = nothing
 * @property {(rating: Rating) => void} rate
 * @property {() => boolean} isAlive  whether a kernel would hear of a rating
 */

/** A name for the file: its own, or one of the job's id. @param {Card} card @param {Clip | null} clip */
function fileName(card, clip) {
  const own = (clip?.path ?? clip?.place ?? "").split(/[/\\]/).at(-1);
  if (own && /\.\w{2,4}$/.test(own)) return own;
  const suffix = /\.(\w{2,4})$/.exec(URL.canParse(clip?.url ?? "") ? new URL(clip?.url ?? "").pathname : "")?.[1] ?? "mp4";
  const name = card.job_id.replace(/[^\p{L}\p{N}_.-]+/gu, "-").slice(0, 80);
  return `${name || "clip"}${clip?.number ? `-${clip.number + 1}` : ""}.${suffix}`;
}

/** Put a clip among the person's downloads. @param {string} source @param {string} name */
async function download(source, name) {
  const isOwn = /^(blob|data):/.test(source) || new URL(source, location.href).origin === location.origin;
  // A browser opens what comes from elsewhere instead of keeping it.
  const bytes = isOwn ? null : await fetch(source).then((answer) => (answer.ok ? answer.blob() : null)).catch(() => null);
  const url = bytes ? URL.createObjectURL(bytes) : source;
  const link = h("a", "", { href: url, download: name, target: "_blank", rel: "noopener" });
  document.body.append(link); // Firefox follows only what is in the page
  link.click();
  link.remove();
  if (bytes) setTimeout(() => URL.revokeObjectURL(url), 60_000); // read from until then
}

/** Name a button by what is there already. @param {HTMLElement} node @param {string} given @param {string} words */
function sayGiven(node, given, words) {
  const label = given ? `${words} (${given})` : words;
  node.setAttribute("aria-label", label);
  node.title = label;
}

/** @param {ActionsHost} host @param {AbortSignal} signal */
function createActions(host, signal) {
  const ui = buildActions();
  const { video } = host;
  const moreBox = createPopup([ui.more], ui.moreBox, signal, (isOpen) => { if (!isOpen) tell(""); });
  const rateBox = createPopup([ui.rate, ui.write], ui.rateBox, signal, () => {
    const { tags, note } = ratingOf(host.card());
    [ui.tags.value, ui.note.value] = [tags.join(", "), note ?? ""];
  });
  const keys = playerKeys(video);
  let cancelTold = () => {};

  /** Say something where the entries are, with a line to paste if one helps.
   * @param {string} text @param {string} [command] */
  function tell(text, command = "") {
    say(ui.told, text);
    say(ui.command, command);
    ui.commandRow.hidden = !command;
    ui.entries.hidden = Boolean(command);
  }

  /** @param {string} words  said once it is there @param {string} text */
  async function toClipboard(words, text) {
    try {
      await navigator.clipboard.writeText(text);
      tell(words);
      cancelTold();
      cancelTold = after(2500, () => tell(""), signal);
    } catch { // refused, or no clipboard outside https: leave it selected for Ctrl+C
      tell("The clipboard is closed to this page. Press Ctrl+C:", text);
      getSelection()?.selectAllChildren(ui.command);
    }
  }

  /** @param {Rating | null} rating */
  function rate(rating) {
    if (!rating) return;
    if (host.isAlive()) return host.rate(rating);
    rateBox.close();
    if (!moreBox.isOpen()) ui.more.click();
    tell(NO_KERNEL, `%cometvid rate ${host.card().typed_id ?? "ID"} ${rateOptions(rating)}`);
  }

  const now = () => ratingOf(host.card());
  const drawVerdict = createVerdict(ui, now, rate, signal);
  host.keys.addEventListener("keydown", (event) => {
    const rating = ui.root.hidden ? null : ratedByKey(event, now());
    if (!rating) return;
    event.preventDefault();
    rate(rating);
  }, { signal });
  ui.fields.addEventListener("submit", (event) => {
    event.preventDefault();
    const tags = tagsIn(ui.tags.value);
    const note = ui.note.value.trim() || null;
    rate({ ...now(), tags, note });
    rateBox.close();
  }, { signal });

  for (const [node, key] of /** @type {const} */ ([[ui.back, ","], [ui.on, "."], [ui.full, "f"]])) {
    node.addEventListener("click", () => keys[key]?.(), { signal });
  }
  ui.loop.addEventListener("click", () => { video.loop = !video.loop; draw(); }, { signal });
  ui.speed.addEventListener("change", () => {
    video.defaultPlaybackRate = video.playbackRate = Number(ui.speed.value); // the default outlives a change of source
  }, { signal });
  video.addEventListener("ratechange", () => draw(), { signal });

  const withSource = async (/** @type {(source: string) => void} */ use) => {
    const source = await host.source();
    if (source) use(source);
    else tell("The clip can't be loaded here.");
  };
  ui.download.addEventListener("click", () =>
    withSource((source) => download(source, fileName(host.card(), host.clip()))), { signal });
  ui.open.addEventListener("click", () => withSource((source) => { window.open(source, "_blank", "noopener"); }), { signal });
  ui.copyPath.addEventListener("click", () => toClipboard("Copied.", host.clip()?.place ?? ""), { signal });
  for (const [node, name] of /** @type {const} */ ([[ui.remix, "remix"], [ui.extend, "continue"]])) {
    node.addEventListener("click", () =>
      toClipboard("Copied. Paste it into a new cell and fill in the prompt.", `%cometvid ${name} ${host.card().typed_id} ""`), { signal });
  }
  ui.copy.addEventListener("click", () => copyText(ui.copy, ui.command.textContent ?? "", signal, ui.command), { signal });
  for (const box of [ui.moreBox, ui.rateBox]) keepKeys(box, signal);

  /** Seat what has no room in the row in the boxes. @param {boolean} isWide */
  function seat(isWide) {
    ui.root.classList.toggle("cometvid-is-wide", isWide);
    if (isWide) {
      ui.row.prepend(ui.starRow);
      ui.more.before(ui.playing, ui.download);
    } else {
      ui.rateBox.prepend(ui.starRow);
      ui.moreBox.prepend(ui.playing);
      if (host.isSmall) ui.playing.append(ui.download);
      else ui.more.before(ui.download);
    }
    [ui.write.hidden, ui.rate.hidden] = [!isWide, isWide];
  }
  let wasWide = /** @type {boolean | null} */ (null);
  const sizes = new ResizeObserver(() => {
    const isWide = !host.isSmall && ui.root.clientWidth >= WIDE_ROW_PX;
    if (!ui.root.clientWidth || isWide === wasWide) return;
    for (const box of [moreBox, rateBox]) box.close();
    seat(wasWide = isWide);
  });
  sizes.observe(ui.root);
  signal.addEventListener("abort", () => sizes.disconnect());
  seat(false);

  /** Draw what the card says. */
  function draw() {
    const card = host.card();
    const clip = host.clip();
    const { stars, tags, note } = ratingOf(card);
    drawVerdict();
    say(ui.starCount, stars ? String(stars) : "");
    ui.rate.classList.toggle("cometvid-is-full", Boolean(stars));
    for (const node of [ui.rate, ui.write]) node.classList.toggle("cometvid-is-written", Boolean(tags.length || note));
    const rating = { stars, tags, note, flag: null };
    sayGiven(ui.rate, givenText(rating), "Stars, tags and a note");
    sayGiven(ui.write, givenText({ ...rating, stars: null }), "Tags and a note");
    // A card has them beneath its prompt; a tile has no other room.
    ui.gap.textContent = host.isSmall ? ratingText({ ...rating, stars: null }) : "";
    const isVideo = clip !== null && !clip.is_image;
    ui.playing.hidden = !isVideo;
    ui.loop.setAttribute("aria-pressed", String(video.loop));
    if (ui.speed.value !== String(video.defaultPlaybackRate)) ui.speed.value = String(video.defaultPlaybackRate);
    ui.copyPath.hidden = !clip?.place;
    ui.remix.hidden = !card.typed_id;
    ui.extend.hidden = !card.typed_id || !isVideo;
    ui.root.hidden = card.phase !== "completed" || clip === null;
  }
  tell("");
  return { root: ui.root, draw };
}
