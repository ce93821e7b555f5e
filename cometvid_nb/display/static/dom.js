/**
 * Small tools for nodes and timers.
 *
 * Every string of a card is foreign text and is only ever written through `textContent`.
 * One AbortController per view ends each listener and timer.
 */

const FRAME_S = 1 / 24; // of the slower clips, so that each step shows another picture

/**
 * setTimeout that ends with the view; returns what cancels it.
 * @param {number} delay_ms @param {() => void} action @param {AbortSignal} signal
 */
function after(delay_ms, action, signal) {
  if (signal.aborted) return () => {};
  const handle = setTimeout(() => { cancel(); action(); }, delay_ms);
  const cancel = () => { clearTimeout(handle); signal.removeEventListener("abort", cancel); };
  signal.addEventListener("abort", cancel);
  return cancel;
}

/** @param {CometvidModel} model @param {string} name @param {(...args: any[]) => void} callback
 * @param {AbortSignal} signal */
function listen(model, name, callback, signal) {
  model.on(name, callback);
  signal.addEventListener("abort", () => model.off(name, callback));
}

/** Write only what differs, so that a reader's selection survives the tick; empty = hidden.
 * @param {HTMLElement} node @param {string | null | undefined} text */
function say(node, text) {
  if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
  node.hidden = !text;
}

/** Write an id that is cut in its middle where it does not fit: long ones differ at their end. The
 * whole of it is in the text, so that it is copied whole, and in the title.
 * @param {HTMLElement} node @param {string} id */
function sayId(node, id) {
  node.hidden = !id;
  if (node.title === id) return;
  const letters = [...id];
  const tail = letters.length > 24 ? letters.splice(-8) : [];
  node.replaceChildren(h("span", "id-head", {}, letters.join("")), h("span", "id-tail", {}, tail.join("")));
  node.classList.toggle("cometvid-is-long", tail.length > 0);
  node.title = id;
}

/**
 * A node of ours. Each has the mark that makes JupyterLab leave its keys alone: Lumino looks at the
 * focused element first, and a mark around it comes too late for a selector such as `:focus`.
 * @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} name
 * @param {Record<string, string>} [attributes] @param {(Node | string)[]} children */
function h(tag, name, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.className = name.split(" ").filter(Boolean).map((word) => `cometvid-${word}`).join(" ");
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/**
 * Keep the keys that are typed in `root` from what listens further out: classic Notebook and VS Code
 * have commands on single letters and on Enter, too. What is meant for the page as a whole, such as
 * Ctrl+S, still gets there: in JupyterLab as an event of the page's body, which no command of the
 * notebook matches, as the mark of `h` stops those of the page as well.
 * @param {HTMLElement} root @param {AbortSignal} signal
 */
function keepKeys(root, signal) {
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return; // closes what is open around
    const isForPage = (event.ctrlKey || event.metaKey || event.altKey) && event.key !== "Enter";
    if (isForPage && !root.closest(".jp-OutputArea")) return;
    event.stopPropagation();
    const isDone = isForPage && !document.body.dispatchEvent(new KeyboardEvent("keydown", event));
    if (isDone) event.preventDefault();
  }, { signal });
}

function icon() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "cometvid-icon");
  svg.append(path);
  return { svg, path };
}

/** @param {string} shape */
function sign(shape) {
  const { svg, path } = icon();
  path.setAttribute("d", shape);
  return svg;
}

const PLAY = "M4.5 2.6v10.8L13 8z";
const SOUND = "M2 6v4h2.6L8 13V3L4.6 6z";
const SOUND_ON = `${SOUND}M10.4 5.8a3 3 0 0 1 0 4.4M12.4 3.9a5.8 5.8 0 0 1 0 8.2`;
const SOUND_OFF = `${SOUND}M10.6 6.2l3.6 3.6M14.2 6.2l-3.6 3.6`;
const CROSS = "M4 4l8 8M12 4l-8 8";
const FRAME_BACK = "M11.5 3.2v9.6L5.4 8zM3.8 3.4v9.2";
const FRAME_ON = "M4.5 3.2v9.6L10.6 8zM12.2 3.4v9.2";

/** A button that is a picture, with a name. @param {string} name @param {string} label @param {string} shape */
function iconButton(name, label, shape) {
  const { svg, path } = icon();
  path.setAttribute("d", shape);
  return { node: h("button", `button ${name}`, { type: "button", "aria-label": label, title: label }, svg), path };
}

/** Put `text` on the clipboard, and say so on the button that asked for it.
 * @param {HTMLElement} node @param {string} text @param {AbortSignal} signal
 * @param {HTMLElement} [source]  where the text stands, to be left selected for Ctrl+C */
async function copyText(node, text, signal, source) {
  const label = node.dataset["label"] ??= node.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    node.textContent = "Copied";
  } catch { // refused, or no clipboard outside https
    if (source) getSelection()?.selectAllChildren(source);
    node.textContent = source ? "Selected" : "Not allowed";
  }
  after(2000, () => { node.textContent = label; }, signal);
}

/** @param {string} name @param {string} text */
const button = (name, text) => h("button", name, { type: "button" }, text);

/**
 * Draw how far a job is, as a number and as a bar; null = nobody knows.
 * @param {{percent: HTMLElement, bar: HTMLElement, fill: HTMLElement}} ui
 * @param {number | null} progress_percent @returns {number | null} what is shown, 0 to 100
 */
function drawProgress(ui, progress_percent) {
  const percent = progress_percent === null ? null : rounded(Math.min(100, Math.max(0, progress_percent)));
  say(ui.percent, percent === null ? "" : percentText(percent));
  ui.bar.classList.toggle("cometvid-is-unknown", percent === null);
  if (percent === null) ui.bar.removeAttribute("aria-valuenow");
  else ui.bar.setAttribute("aria-valuenow", String(percent));
  ui.fill.style.inlineSize = percent === null ? "" : `${percent}%`;
  return percent;
}

const SKEW_FLOOR_S = 2; // below this, clock difference and network delay look alike

/** The kernel's clock, as far as a page can know it. */
function createClock() {
  let [skew_s, drift_s] = [0, Infinity];
  return {
    now_s: () => Date.now() / 1000 - skew_s,
    /** @param {number | null} sent_at_s when, by the kernel's clock, a live message was sent */
    hear(sent_at_s) {
      // The least seen: after a reconnect a message may arrive that was sent long ago.
      drift_s = Math.min(drift_s, Date.now() / 1000 - (sent_at_s ?? -Infinity));
      skew_s = Math.abs(drift_s) < SKEW_FLOOR_S || drift_s === Infinity ? 0 : drift_s;
    },
  };
}
