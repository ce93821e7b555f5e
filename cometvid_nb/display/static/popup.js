/** A small box over the page that a button opens: in the top layer, so that no card cuts it off. */

const GAP_PX = 6;

/**
 * @param {HTMLElement[]} openers  the buttons that open it, of which one has room in the row
 * @param {HTMLElement} box @param {AbortSignal} signal @param {(isOpen: boolean) => void} [onChange]
 */
function createPopup(openers, box, signal, onChange = () => {}) {
  const hasPopovers = "popover" in HTMLElement.prototype; // else it opens in its place
  const isOpen = () => (hasPopovers ? box.matches(":popover-open") : !box.hidden);
  const seen = () => /** @type {HTMLElement} */ (openers.find((opener) => !opener.hidden) ?? openers[0]);
  for (const opener of openers) {
    opener.setAttribute("aria-expanded", "false");
    opener.setAttribute("aria-haspopup", "dialog");
  }
  box.setAttribute("role", "dialog");
  if (hasPopovers) box.popover = "auto";
  else box.hidden = true;

  const place = () => {
    const [from, room] = [seen().getBoundingClientRect(), box.getBoundingClientRect()];
    const isLeft = from.left + from.right < innerWidth;
    const left = Math.min(isLeft ? from.left : from.right - room.width, innerWidth - room.width - GAP_PX);
    const below = from.bottom + GAP_PX;
    const isBelow = below + room.height + GAP_PX <= innerHeight || from.top - GAP_PX < room.height + GAP_PX;
    const top = isBelow ? Math.min(below, innerHeight - room.height - GAP_PX) : from.top - GAP_PX - room.height;
    [box.style.left, box.style.top] = [`${Math.max(GAP_PX, left)}px`, `${Math.max(GAP_PX, top)}px`];
  };
  const opened = (/** @type {boolean} */ isNow) => {
    for (const opener of openers) opener.setAttribute("aria-expanded", String(isNow && opener === seen()));
    onChange(isNow);
    if (!isNow) return;
    if (hasPopovers) place();
    /** @type {HTMLElement | null} */ (box.querySelector("button, input, a[href]"))?.focus({ preventScroll: true });
  };
  const close = () => {
    if (!isOpen()) return;
    if (hasPopovers) box.hidePopover();
    else { box.hidden = true; opened(false); }
  };
  const toggle = () => {
    if (isOpen()) return close();
    if (hasPopovers) box.showPopover();
    else { box.hidden = false; opened(true); }
  };
  // The browser itself closes it when the opener is pressed: by `click` it would open again.
  for (const opener of openers) {
    if (hasPopovers && opener instanceof HTMLButtonElement) opener.popoverTargetElement = box;
    else opener.addEventListener("click", toggle, { signal });
  }
  box.addEventListener("toggle", (event) => {
    if (event.target === box) opened(/** @type {ToggleEvent} */ (event).newState === "open");
  }, { signal });
  for (const node of [box, ...openers]) {
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !isOpen()) return;
      event.preventDefault();
      event.stopPropagation(); // JupyterLab would leave the cell's edit mode, a gallery its open card
      close();
      seen().focus({ preventScroll: true });
    }, { signal });
  }
  /** Whether its button is to be seen: neither scrolled out nor under something else. */
  const isAnchored = () => {
    const { left, right, top, bottom } = seen().getBoundingClientRect();
    const node = /** @type {Document} */ (seen().getRootNode()).elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return node !== null && (seen().contains(node) || box.contains(node));
  };
  if (hasPopovers) { // what it hangs on moves
    addEventListener("scroll", (event) => {
      if (!isOpen() || box.contains(/** @type {Node} */ (event.target))) return;
      // JupyterLab scrolls when another cell is clicked; while somebody writes, the keyboard of a phone
      // scrolls the page when it comes.
      if (box.querySelector("input:focus") || isAnchored()) place();
      else close();
    }, { capture: true, passive: true, signal });
  }
  return { close, isOpen };
}
