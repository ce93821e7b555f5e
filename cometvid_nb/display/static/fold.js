/** Rejected takes fold away: out of sight and out of the way, and never lost. */

/**
 * @param {ReturnType<typeof buildGallery>} ui
 * @param {() => Map<string, {tile: ReturnType<typeof createTile>}>} entries @param {() => void} onChange
 @param {AbortSignal} signal */
function createFold(ui, entries, onChange, signal) {
  let isShown = false;
  ui.foldRow.hidden = true;
  const draw = () => {
    const tiles = [...entries().values()].map(({ tile }) => tile);
    const rejected = tiles.filter((tile) => tile.card().rating?.flag === "rejected");
    const focused = tiles.findIndex(({ root }) => root.contains(document.activeElement));
    for (const tile of tiles) {
      const isFolded = !isShown && rejected.includes(tile) && !tile.root.classList.contains("cometvid-is-open");
      if (isFolded && !tile.root.hidden) tile.rest();
      tile.root.hidden = isFolded;
    }
    const count = rejected.length;
    ui.foldRow.hidden = !count;
    const words = fill(count === 1 ? WORDS.rejected.one : WORDS.rejected.many, { count });
    const seen = tiles.filter(({ root }) => !root.hidden).length;
    say(ui.foldText, !count ? "" : isShown ? words : `${words} folded away, ${seen} of ${tiles.length} shown`);
    ui.filterBox.title = seen < tiles.length ? "All are counted, also those that are folded away" : "";
    ui.foldButton.textContent = isShown ? "hide" : "show";
    ui.foldButton.setAttribute("aria-expanded", String(isShown));
    // Who goes through the takes by key goes on at the next one.
    if (tiles[focused]?.root.hidden) {
      const next = [...tiles.slice(focused), ...tiles.slice(0, focused).reverse()].find(({ root }) => !root.hidden);
      (next?.title ?? ui.foldButton).focus({ preventScroll: true });
    }
  };
  ui.foldButton.addEventListener("click", () => { isShown = !isShown; draw(); onChange(); }, { signal });
  return { draw };
}
