"""A bare page with one card or gallery on a fake of anywidget's model.

The fake stands for anywidget and the kernel, not for our code: the page loads the real module and
style sheet. That anywidget is as assumed here is what the tests with a real JupyterLab show.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tornado.httpserver
import tornado.netutil
import tornado.web
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page

from cometvid_nb.cards.grid import grid_of
from cometvid_nb.clips.format import media_type, suffix_of
from cometvid_nb.display.jobs_widget import JobsWidget
from cometvid_nb.display.widget import CardWidget, GridWidget
from cometvid_nb.simulator.clips import MEDIA
from tests.clips import made

THEMES = Path(sys.prefix) / "share" / "jupyter" / "lab" / "themes" / "@jupyterlab"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/{name}.css">
<style>body { margin: 0; background: var(--jp-layout-color0, Canvas) }</style></head>
<body class="jp-ThemedContainer"><main id="output"></main>
<script>
  // What is still going to happen, so that a test can see that nothing is left.
  window.timers = new Set();
  const [set, clear] = [window.setTimeout, window.clearTimeout];
  window.setTimeout = (action, delay, ...rest) => {
    const handle = set(() => { timers.delete(handle); action(...rest); }, delay);
    timers.add(handle);
    return handle;
  };
  window.clearTimeout = (handle) => { timers.delete(handle); clear(handle); };
  window.revoked = [];
  const revoke = URL.revokeObjectURL;
  URL.revokeObjectURL = (url) => { revoked.push(url); revoke.call(URL, url); };
</script>
<script type="module">
  import widget from "/{name}.js";

  class Signal {  // Lumino's, as far as the card uses it
    slots = new Set();
    connect(slot) { this.slots.add(slot); }
    disconnect(slot) { this.slots.delete(slot); }
    emit(value) { for (const slot of [...this.slots]) slot(this, value); }
  }
  class Model {  // anywidget's proxied model
    listeners = [];
    sent = [];
    constructor(value, files) {
      this.value = value;
      this.widget_manager = {
        kernel: Object.fromEntries(["disposed", "statusChanged", "connectionStatusChanged"]
          .map((name) => [name, new Signal()])),
      };
      if (files) this.widget_manager.resolveUrl = async (path) => files + path;
    }
    get(name) { return { "{name}": this.value, record_token: "token" }[name]; }
    set(name, value) {  // as Backbone does: an equal value is no news
      if (name !== "{name}" || JSON.stringify(value) === JSON.stringify(this.value)) return;
      this.change(value);
    }
    send(content) { this.sent.push(content); }
    on(name, callback) { this.listeners.push([name, callback]); }
    off(name, callback) {
      this.listeners = this.listeners.filter(([n, c]) => n !== name || c !== callback);
    }
    fire(name, ...values) {
      for (const [n, callback] of [...this.listeners]) if (n === name) callback(...values);
    }
    change(value) { this.value = value; this.fire("change:{name}"); }
    async relay(request, url, step) {
      const bytes = await (await fetch(url)).arrayBuffer();
      for (let offset = 0; offset < bytes.byteLength; offset += step) {
        const part = bytes.slice(offset, offset + step);
        this.fire("msg:custom", { kind: "clip_chunk", request, offset, total: bytes.byteLength,
          is_last: offset + step >= bytes.byteLength }, [new DataView(part)]);
      }
    }
  }
  window.show = (value, files, className) => {
    const el = document.createElement("div");
    el.className = className;
    document.querySelector("#output").append(el);
    const controller = new AbortController();
    window.model = new Model(value, files);
    window.leave = () => { controller.abort(); cleanup(); };
    const cleanup = widget.render({ model, el, signal: controller.signal });
  };
  window.widget = widget;
  window.Model = Model;
  window.isReady = true;
</script></body></html>
"""


SOURCES = {
    "card.js": CardWidget._esm,
    "card.css": CardWidget._css,
    "gallery.js": GridWidget._esm,
    "gallery.css": GridWidget._css,
    "jobs.js": JobsWidget._esm,
    "jobs.css": JobsWidget._css,
}


class _PageHandler(tornado.web.RequestHandler):
    def get(self, name: str) -> None:
        self.write(PAGE.replace("{name}", name or "card"))


class _SourceHandler(tornado.web.RequestHandler):
    """A module or style sheet, joined as the kernel sends it."""

    def get(self, name: str) -> None:
        kind = "text/javascript" if name.endswith(".js") else "text/css"
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.write(SOURCES[name])


class _MadeHandler(tornado.web.RequestHandler):
    """A small real clip of any kind, under whatever name a page asks for."""

    def get(self, kind: str, width: str, height: str) -> None:
        self.set_header("Content-Type", media_type(suffix_of(self.request.path)))
        self.write(made.clip(kind.replace("-", " "), int(width), int(height)))


class _NumberedHandler(tornado.web.RequestHandler):
    """A clip whose frames show their numbers, with Range, as its player seeks in it."""

    def get(self, colour: str) -> None:
        content = made.numbered(f"#{colour}")
        self.set_header("Content-Type", "video/mp4")
        self.set_header("Accept-Ranges", "bytes")
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.request.headers.get("Range", ""))
        if asked:
            first, last = int(asked[1]), int(asked[2] or len(content) - 1)
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            content = content[first : last + 1]
        self.write(content)


class _SilentHandler(tornado.web.RequestHandler):
    """Accepts the question and never answers."""

    async def get(self) -> None:
        await asyncio.sleep(60)


class Site:
    """Serves the page, our static files and the clips (with Range) on a port of its own."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def log(self, handler: tornado.web.RequestHandler) -> None:
        self.requests.append(handler.request.path)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        files = tornado.web.StaticFileHandler
        application = tornado.web.Application(
            [
                (r"/(gallery|jobs)?", _PageHandler),
                (r"/silent.mp4", _SilentHandler),
                (r"/((?:card|gallery|jobs)\.(?:js|css))", _SourceHandler),
                (r"/made/([^/]+)/(\d+)x(\d+)[^/]*", _MadeHandler),
                (r"/numbered/([0-9a-f]{6}).mp4", _NumberedHandler),
                (r"/clips/(.*)", files, {"path": str(MEDIA)}),
                (r"/themes/(.*)", files, {"path": str(THEMES)}),
            ],
            log_function=self.log,
        )
        (socket,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        server = tornado.httpserver.HTTPServer(application)
        server.add_socket(socket)
        self._ready.set()
        await self._ended.wait()
        server.stop()
        await server.close_all_connections()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


def card(phase: str = "running", **changes: Any) -> dict[str, Any]:
    """A Card as JSON. Without `now_s` among the changes its times count from the real clock."""
    now_s = changes.pop("now_s", time.time())
    is_active = phase in ("starting", "queued", "running", "unknown")
    base: dict[str, Any] = {
        "phase": phase,
        "job_id": "video_abc123",
        "headline": phase.replace("_", " ").capitalize(),
        "facts": ["sora-2", "1280×720", "4 s"],
        "prompt": "A comet crosses a violet night sky.",
        "progress_percent": 30.0 if phase == "running" else None,
        "aspect_ratio": 16 / 9,
        "elapsed_from_s": now_s - 84,
        "elapsed_to_s": None if is_active else now_s,
        "checks_at_s": [now_s - 3, now_s + 7, now_s + 17] if is_active else [],
        "remaining_s": None,
        "problem": None,
        "advice": None,
        "command": None,
        "watch_command": "%cometvid watch video_abc123",
        "actions": ["stop"] if is_active else [],
        "is_simulated": False,
        "clip": None,
        "saving": None,
        "model": "sora-2",
        "seed": None,
        "picture": None,
        "sent_at_s": now_s,
    }
    return base | changes


def clip(url: str | None = None, **changes: Any) -> dict[str, Any]:
    """A Card's clip as JSON."""
    return {"url": url, "path": None, "saved_to": None, "expires_at_s": None} | changes


def gallery(*cards: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A gallery as JSON, with these cards as its page; each needs a job id of its own."""
    totals = dict.fromkeys(("queued", "running", "completed", "failed", "other"), 0)
    for one in cards:
        phase = {"unknown": "running", "starting": "queued"}.get(one["phase"], one["phase"])
        totals[phase if phase in totals else "other"] += 1
    base: dict[str, Any] = {
        "total": len(cards),
        "totals": totals,
        "filter": "all",
        "sort": "added",
        "matching": len(cards),
        "page": 1,
        "pages": 1,
        "is_simulated": False,
        "is_settled": False,
        "command": "%cometvid watch --gallery video_001",
        "grid": asdict(grid_of(len(cards), [one["aspect_ratio"] for one in cards])),
        "order": [one["job_id"] for one in cards],
        "cards": {one["job_id"]: {"poster": None, "take": None} | one for one in cards},
        "sent_at_s": time.time(),
    }
    return base | changes


class CardPage:
    """Drives one card or gallery on the bare page."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, *, at_s: int | None = None, base_url: str | None = None, name: str = "") -> None:
        """Load the card's page, or the one called `name`.

        With `at_s` its clock stands there and moves by `run` alone.
        """
        if at_s is not None:
            self.page.clock.install(time=at_s - 60)
        self.page.goto(base_url or f"{self.site.url}/{name}")
        self.page.wait_for_function("window.isReady")
        if at_s is not None:
            self.page.clock.pause_at(at_s)

    def run(self, duration_s: float) -> None:
        """Let the page's clock run on, firing every timer on the way."""
        self.page.clock.run_for(round(duration_s * 1000))

    def show(
        self, shown: dict[str, Any], *, files: str | None = None, class_name: str = ""
    ) -> None:
        self.page.evaluate("([c, f, n]) => show(c, f, n)", [shown, files, class_name])

    def change(self, shown: dict[str, Any]) -> None:
        self.page.evaluate("(c) => model.change(c)", shown)

    def fire(self, name: str) -> None:
        self.page.evaluate("(name) => model.fire(name)", name)

    def emit(self, signal: str, value: str | None = None) -> None:
        self.page.evaluate("([s, v]) => model.widget_manager.kernel[s].emit(v)", [signal, value])

    def sent(self) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.page.evaluate(
            "model.sent.filter((message) => message.kind !== 'hello')"
        )
        return result

    def relay(self, name: str, step_bytes: int = 20_000) -> None:
        """Answer the card's question for bytes, as the kernel does."""
        request = self.wait_for_request()
        self.page.evaluate(
            "([r, u, s]) => model.relay(r, u, s)",
            [request, f"/clips/{name}", step_bytes],
        )

    def wait_for_request(self) -> int:
        """The number of the newest `fetch_clip`."""
        found = "model.sent.filter((m) => m.kind === 'fetch_clip').at(-1)?.request"
        self.page.wait_for_function(found)
        return int(self.page.evaluate(found))

    def part(self, name: str) -> Locator:
        return self.page.locator(f".cometvid-{name}")

    @property
    def video(self) -> Locator:
        return self.page.locator(".cometvid-card video")

    def video_in_grid(self) -> Locator:
        return self.page.locator(".cometvid-tile video")

    def wait_playable(self, source: str) -> None:
        """Until the video shows a frame of a source whose address contains `source`."""
        self.page.wait_for_function(
            "(s) => { const v = document.querySelector('.cometvid-card video');"
            " return v && v.currentSrc.includes(s) && v.readyState >= 2; }",
            arg=source,
        )

    def violations(self, place: str) -> list[tuple[str, str]]:
        """What axe finds in a place: the rule that is broken, and the HTML that breaks it.

        Not by `Axe().run`, which loads axe for each look and brings back all that was right.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found: list[list[str]] = self.page.evaluate(
            """(place) => axe.run(place, { resultTypes: ["violations"] }).then((results) =>
                results.violations.flatMap((one) =>
                    one.nodes.map((node) => [one.id, node.html.slice(0, 200)])))""",
            place,
        )
        return [(rule, html) for rule, html in found]

    def left_timers(self) -> int:
        return int(self.page.evaluate("timers.size"))

    def theme(self, name: str) -> None:
        self.page.add_style_tag(url=f"/themes/theme-{name}-extension/index.css")
