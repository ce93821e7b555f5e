"""Measures what saving a clip of 1 GiB costs in memory and time, beside curl.

    python -m benchmarks.save [RUNS] [MIB]

The server is a process of its own that sends a sparse file (`sendfile`). Ours saves as every save
does, with `Client.open_clip` and `clips.download`, checks and `fsync` included, in a fresh
process each time, so that its peak of memory belongs to that save alone. Both run in turn.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cometvid_nb.simulator.clips import read_clip

MIB = 1 << 20
SERVE = """
import http.server, os, sys
size = os.path.getsize(sys.argv[1])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        first = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - first))
        self.end_headers()
        with open(sys.argv[1], "rb") as file:
            try:
                while first < size:
                    first += os.sendfile(self.connection.fileno(), file.fileno(), first, 1 << 22)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the asker has seen enough
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def make_clip(path: Path, size_bytes: int) -> None:
    """Write an MP4 of `size_bytes`: a real clip's boxes, then a sparse `mdat` without content."""
    head = read_clip("1280x720", "mp4")
    rest = size_bytes - len(head)
    with path.open("wb") as file:
        # Size 1 means that the true size follows in eight bytes: ISO/IEC 14496-12 §4.2.
        file.write(head + (1).to_bytes(4, "big") + b"mdat" + rest.to_bytes(8, "big"))
        file.truncate(size_bytes)


@contextmanager
def serve(path: Path) -> Iterator[str]:
    """Serve `path` from a process of its own and give the URL."""
    command = [sys.executable, "-c", SERVE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/clip.mp4"
        finally:
            server.terminate()


def save(url: str, folder: str) -> None:
    """Save once, in this fresh process; print the seconds and the extra memory in bytes."""
    import asyncio

    from cometvid_nb.api.client import Client
    from cometvid_nb.clips.download import download
    from cometvid_nb.clips.roads import Road
    from cometvid_nb.job.job import Job
    from cometvid_nb.settings import Settings

    def peak_bytes() -> int:
        # KiB on Linux, bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024

    async def run() -> None:
        # The base URL is another host, as with every signed link: the key must not go to this one.
        environ = {"COMETAPI_KEY": "k" * 20, "COMETAPI_BASE_URL": "http://127.0.0.1:1/v1"}
        async with Client(Settings.from_environ(environ)) as client:
            job = Job.parse({"id": "video_large", "status": "completed", "video_url": url})
            # A first piece loads connection, parser and threads, which are not part of a save.
            async with client.open_clip(job) as stream:
                await anext(aiter(stream))
            before_bytes, began_s = peak_bytes(), time.perf_counter()
            await download(client, Road(job), Path(folder))
            print(time.perf_counter() - began_s, peak_bytes() - before_bytes)

    asyncio.run(run())


def ours(url: str, folder: Path) -> tuple[float, int]:
    """Return the seconds and the extra memory in bytes of one save of ours."""
    command = [sys.executable, "-m", "benchmarks.save", "--one", url, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken_s, extra_bytes = done.stdout.split()
    return float(taken_s), int(extra_bytes)


def curls(url: str, folder: Path) -> tuple[float, float]:
    """Return curl's seconds, and those until the file is on the disk, which ours waits for."""
    began_s, path = time.perf_counter(), folder / "curl.mp4"
    subprocess.run(["curl", "--silent", "--show-error", "--output", path, url], check=True)
    done_s = time.perf_counter()
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return done_s - began_s, time.perf_counter() - began_s


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--one"]:
        save(*sys.argv[2:])
        return
    if shutil.which("curl") is None:
        sys.exit("The peer is missing: curl.")
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    size_bytes = (int(sys.argv[2]) if len(sys.argv) > 2 else 1024) * MIB
    rows: list[tuple[float, int, float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "clip.mp4"
        make_clip(clip, size_bytes)
        with serve(clip) as url:
            for run in range(runs + 1):
                folder = Path(name) / str(run)
                folder.mkdir()
                # They change places, as the second one meets a disk that is still busy.
                if run % 2:
                    row = (*ours(url, folder), *curls(url, folder))
                else:
                    peer = curls(url, folder)
                    row = (*ours(url, folder), *peer)
                shutil.rmtree(folder)
                if run:  # the first run only warms up the disk's cache
                    rows.append(row)
    medians = [statistics.median(of) for of in zip(*rows, strict=True)]
    ours_s, extra_bytes, curl_s, synced_s = medians
    most_bytes = max(row[1] for row in rows)
    print(f"a clip of {size_bytes / MIB:.0f} MiB, medians of {runs}")
    for who, taken_s in (("ours", ours_s), ("curl", curl_s), ("curl + fsync", synced_s)):
        speed = f"{size_bytes / MIB / taken_s:5.0f} MiB/s"
        print(f"{who:<14} {taken_s:6.2f} s  {speed}  ours has {taken_s / ours_s:.2f} of its speed")
    print("the target is at least 0.80 of curl's; ours says saved when the disk has it (fsync)")
    print(
        f"extra memory   {extra_bytes / MIB:6.1f} MiB, {most_bytes / MIB:.1f} at most "
        "(target: below 64)"
    )


if __name__ == "__main__":
    main()
