const playServed = (box) => box.addEventListener("error", ({ target: video }) => {
  const { served } = video.dataset ?? {};
  const files = /^[^?#]*?\/files\//.exec(video.src ?? "")?.[0];
  if (!served || !files || video.src === files + served) return;
  const isWanted = !video.paused;
  video.src = files + served;
  if (isWanted) video.play().catch(() => {});
}, true);
