(() => {
  const box = document.currentScript?.parentElement;
  if (!box) return;
  playServed(box);
  const button = (name, text, act) => {
    const node = document.createElement("button");
    node.type = "button";
    node.className = `cometvid-push ${name}`;
    node.textContent = text;
    node.dataset.lmSuppressShortcuts = "true";
    node.onclick = () => act(node);
    return node;
  };
  const copy = async (node) => {
    const code = node.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      node.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      node.textContent = "Selected";
    }
    setTimeout(() => { node.textContent = "Copy"; }, 2000);
  };
  for (const code of box.querySelectorAll("code.cometvid-command")) {
    if (code.nextElementSibling?.tagName !== "BUTTON") code.after(button("", "Copy", copy));
  }
  const unfold = (node) => {
    const isCut = node.previousElementSibling.classList.toggle("cometvid-cut");
    node.textContent = isCut ? "more" : "less";
    node.setAttribute("aria-expanded", String(!isCut));
  };
  for (const prompt of box.querySelectorAll(".cometvid-prompt:not(.cometvid-cut)")) {
    prompt.classList.add("cometvid-cut");
    const more = button("cometvid-push-more", "more", unfold);
    more.setAttribute("aria-expanded", "false");
    prompt.after(more);
    const measure = () => {
      const isWhole = prompt.scrollHeight <= prompt.clientHeight + 1;
      more.hidden = isWhole && prompt.classList.contains("cometvid-cut");
    };
    measure();
    new ResizeObserver(measure).observe(prompt);
  }
  for (const video of box.querySelectorAll("video[preload=none]")) {
    const load = () => { video.preload = "metadata"; };
    new MutationObserver(load).observe(video, { attributeFilter: ["src"] });
    if (document.readyState === "loading") load();
    else setTimeout(load, 1000);
  }
  box.dispatchEvent(new CustomEvent("cometvid-card-record", { bubbles: true }));
  const hint = box.querySelector(".cometvid-missing");
  for (const video of hint ? box.querySelectorAll("video") : []) {
    const tell = (isMissing) => () => {
      hint.hidden = !isMissing;
      video.controls = !isMissing || !video.poster;
    };
    tell(Boolean(video.error))();
    video.addEventListener("error", tell(true));
    video.addEventListener("loadedmetadata", tell(false));
  }
})();
