"""Simulator: serves the gateway on sockets, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import ssl
import sys
import threading
from typing import Any, Self

from tornado.httpserver import HTTPServer
from tornado.routing import URLSpec
from tornado.web import Application

from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.handlers import WrongClipPath, WrongPath, api_routes, clip_routes

STOP_WITHIN_S = 10.0


class Simulator(Gateway):
    """Serves a simulated API at `base_url` until stopped; `Gateway` has its jobs and faults.

    It runs in a daemon thread with a loop of its own, so that it answers while the owner's thread
    is busy or runs a loop already (a notebook kernel does both). Stopped and started again, it
    listens on the same ports and still knows its jobs.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 lets the system choose.
        separate_clip_host: serve the clips on a second port, which is another origin to a browser
            and to a careful client: it must not get the key.
        tls: use TLS with this certificate; None: plain HTTP.
        **gateway_options: see `Gateway`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        separate_clip_host: bool = False,
        tls: ssl.SSLContext | None = None,
        **gateway_options: Any,
    ) -> None:
        super().__init__(**gateway_options)
        self._host = host
        self._tls = tls
        self._ports = [port, 0] if separate_clip_host else [port]
        """The API's port, then that of the clips; after the first start the real numbers."""
        self._dead_socket: socket.socket | None = None
        """Holds the port of `dead_origin`."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        # Start and stop exclude each other, as two threads may want different things.
        self._switching = threading.Lock()

    @property
    def origin(self) -> str:
        """Scheme, host and port of the API."""
        return f"{self._scheme}://{self._host}:{self._ports[0]}"

    @property
    def port(self) -> int:
        """The API's port; 0 until the simulator has been started, if the system chooses it."""
        return self._ports[0]

    @property
    def base_url(self) -> str:
        """The base URL for a client; known once the simulator has been started."""
        return f"{self.origin}/v1"

    @property
    def _scheme(self) -> str:
        return "https" if self._tls is not None else "http"

    @property
    def is_running(self) -> bool:
        """Whether the simulator listens."""
        return self._thread is not None

    def start(self) -> Self:
        """Start to listen, and return once requests are answered; a second call does nothing.

        Raises:
            OSError: the port is taken.
        """
        with self._switching:
            if self._thread is None:
                self._start()
        return self

    def stop(self) -> None:
        """Close all sockets and end the thread; a second call does nothing."""
        with self._switching:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            assert self._loop is not None
            assert self._stopping is not None
            self._loop.call_soon_threadsafe(self._stopping.set)
            thread.join(STOP_WITHIN_S)
            if self._dead_socket is not None:
                self._dead_socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    def _start(self) -> None:
        # Bound here and not in the thread, so that the caller gets the exception for a taken port.
        with contextlib.ExitStack() as on_error:
            sockets: list[socket.socket] = []
            for port in self._ports:
                # Not tornado's bind_sockets, which leaks a socket if the port is taken.
                sockets.append(on_error.enter_context(socket.create_server((self._host, port))))
                sockets[-1].setblocking(False)
            on_error.pop_all()
        self._ports = [bound.getsockname()[1] for bound in sockets]
        # Bound but not listening: the port refuses every connection, and nobody else can take it.
        self._dead_socket = socket.socket()
        self._dead_socket.bind((self._host, 0))
        self.dead_origin = f"http://{self._host}:{self._dead_socket.getsockname()[1]}"
        self.clip_origin = f"{self._scheme}://{self._host}:{self._ports[-1]}"
        # Not asyncio.run: `nest_asyncio` replaces it in the whole process, by one that fails here.
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(self._loop, self._stopping, sockets, ready),
            name="cometvid-simulator",
            daemon=True,
        )
        self._thread.start()
        ready.wait()

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        stopping: asyncio.Event,
        sockets: list[socket.socket],
        ready: threading.Event,
    ) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(self._serve(stopping, sockets, ready))
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def _serve(
        self, stopping: asyncio.Event, sockets: list[socket.socket], ready: threading.Event
    ) -> None:
        routes = [api_routes(self)]
        if len(sockets) == 1:
            routes[0] += clip_routes(self)
        else:
            routes.append(clip_routes(self))
        servers = []
        for bound, table, wrong in zip(sockets, routes, (WrongPath, WrongClipPath), strict=False):
            server = HTTPServer(self._application(table, wrong), ssl_options=self._tls)
            server.add_socket(bound)
            servers.append(server)
        ready.set()
        await stopping.wait()
        for server in servers:
            server.stop()
        for server in servers:
            await server.close_all_connections()

    def _application(self, routes: list[URLSpec], wrong_path: type[WrongPath]) -> Application:
        return Application(
            list(routes),
            default_handler_class=wrong_path,
            default_handler_args={"gateway": self},
            log_function=lambda _handler: None,  # a kernel's stderr appears in the notebook
        )


def serve_forever(
    port: int = 0, speed: float = 1.0, *, is_for_people: bool = False, **options: Any
) -> None:
    """Print where the simulator is, and serve until SIGINT or SIGTERM.

    For the main thread of a program, as only that may handle signals.

    Args:
        port: the port to listen on; 0 lets the system choose.
        speed: how many times as fast as in reality the jobs run.
        is_for_people: print lines to read; otherwise one JSON line (`base_url`, `api_key`, `jobs`),
            whose key is null if none is needed.
        **options: see `Simulator`.
    """
    stopping = threading.Event()
    watched = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stopping.set()) for number in watched]
    try:
        with Simulator(port=port, speed=speed, **options) as simulator:
            with contextlib.suppress(BrokenPipeError):  # the starter may have closed the pipe
                sys.stdout.write(_told(simulator) if is_for_people else _json_line(simulator))
                sys.stdout.flush()
            # With a timeout: on Windows an endless wait does not let the signal handler run.
            while not stopping.wait(1.0):
                pass
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)


def _json_line(simulator: Simulator) -> str:
    told = {"base_url": simulator.base_url, "api_key": simulator.api_key or None}
    return json.dumps({**told, "jobs": simulator.jobs}) + "\n"


def _told(simulator: Simulator) -> str:
    key = simulator.api_key or "none is needed"
    login = "\n  %cometvid login                  # the key above" if simulator.api_key else ""
    return f"""A simulated video API is running. Nothing is rendered or paid for. Ctrl+C stops it.

  Base URL   {simulator.base_url}
  API key    {key}
  Jobs       video_demo, video_portrait, video_fails and {len(simulator.jobs) - 3} more

In a notebook:

  %load_ext cometvid_nb
  %cometvid config base_url={simulator.base_url}{login}
  %cometvid watch video_demo
"""
