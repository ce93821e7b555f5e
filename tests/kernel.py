"""A real IPython kernel as a process, driven cell by cell, and whole notebooks run headless."""

from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.environment import isolated_environ

START_WITHIN_S = 60.0
CELL_WITHIN_S = 60.0

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What one cell did, as its front end would see it."""

    text: str
    """stdout, stderr and every `text/plain`, in the order of arrival."""
    outputs: list[nbformat.NotebookNode]
    """As a notebook would hold them; updates of a display are not applied to it."""
    error: str | None
    """`Name: message` of the exception that ended the cell."""
    messages: list[Message]
    """All IOPub messages that arrived until the cell was idle, threads' messages included."""


class Kernel:
    """A kernel without a browser. `messages` holds every IOPub message seen so far."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._environ = isolated_environ(home)
        self.cwd = home / "work"
        self.cwd.mkdir(exist_ok=True)
        self.messages: list[Message] = []
        self._manager = KernelManager(kernel_name="python3")
        self._client: BlockingKernelClient | None = None

    @property
    def client(self) -> BlockingKernelClient:
        """The client of jupyter_client, for what has no verb here."""
        assert self._client is not None, "the kernel has not been started"
        return self._client

    def start(self, **environ: str) -> None:
        """Start the process, with additions to its environment, and wait until it answers."""
        self._manager.start_kernel(cwd=str(self.cwd), env=self._environ | environ)
        self._connect()

    def _connect(self) -> None:
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=START_WITHIN_S)

    def stop(self) -> None:
        """End the process, politely first."""
        if self._client is not None:
            self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel()
        self._manager.cleanup_resources()

    # -- running code

    def run(
        self,
        code: str,
        *,
        within_s: float = CELL_WITHIN_S,
        allow_stdin: bool = True,
        answers: Sequence[str] = (),
    ) -> Result:
        """Run a cell to its end.

        `allow_stdin=False` is what nbclient says, and so what a headless run looks like.
        `answers` are typed, in turn, where the cell asks.
        """
        return self.wait_idle(
            self.begin(code, allow_stdin=allow_stdin), within_s=within_s, answers=answers
        )

    def begin(self, code: str, *, allow_stdin: bool = True) -> str:
        """Start a cell without waiting; returns the id of its request, for `wait_idle`."""
        return str(self.client.execute(code, allow_stdin=allow_stdin))

    def wait_idle(
        self, request_id: str, *, within_s: float = CELL_WITHIN_S, answers: Sequence[str] = ()
    ) -> Result:
        """Wait until a cell that was begun is done."""
        first, seen = len(self.messages), 0
        left = list(answers)
        deadline = time.monotonic() + within_s
        while not any(_is_idle_after(request_id, one) for one in self.messages[seen:]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The cell was not done within {within_s:g} s.")
            seen = len(self.messages)
            if not self._take(0.05):
                self._answer(left)  # only now, as a cell that asks says nothing else
        self._take_reply(request_id)
        return _result(self.messages[first:], request_id)

    def _answer(self, answers: list[str]) -> None:
        try:
            self.client.get_stdin_msg(timeout=0)
        except queue.Empty:
            return
        assert answers, "the cell asked for input and the test has no answer"
        self.client.input(answers.pop(0))

    def _take(self, timeout_s: float) -> bool:
        try:
            self.messages.append(self.client.get_iopub_msg(timeout=timeout_s))
        except queue.Empty:
            return False
        return True

    def _take_reply(self, request_id: str) -> None:
        # Left on the channel, the replies of a long test would pile up.
        while self.client.get_shell_msg(timeout=5)["parent_header"].get("msg_id") != request_id:
            pass

    # -- what comes from threads

    def wait_for(
        self, condition: Callable[[Message], bool], *, within_s: float = CELL_WITHIN_S
    ) -> Message:
        """Wait for an IOPub message, whichever thread or cell sends it; earlier ones count too."""
        seen = 0
        deadline = time.monotonic() + within_s
        while True:
            for message in self.messages[seen:]:
                if condition(message):
                    return message
            seen = len(self.messages)
            if time.monotonic() > deadline:
                kinds = [m["msg_type"] for m in self.messages[-20:]]
                raise TimeoutError(f"No such message within {within_s:g} s; the last: {kinds}")
            self._take(0.05)

    def send_to_widget(self, model_id: str, content: object) -> None:
        """Send a widget the custom message that its JavaScript would send."""
        self.send_comm(model_id, {"method": "custom", "content": content})

    def send_comm(self, comm_id: str, data: dict[str, object]) -> None:
        """Send a comm message as a front end would; the kernel handles it when it is free."""
        client = self.client
        message = client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        client.shell_channel.send(message)

    # -- what happens to kernels

    def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button does."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Restart the kernel; `messages` begins anew."""
        self.client.stop_channels()
        self._manager.restart_kernel(now=True)
        self.messages.clear()
        self._connect()

    def kill(self) -> None:
        """End the process as a crash would."""
        self._manager.shutdown_kernel(now=True)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return bool(self._manager.is_alive())


def _is_idle_after(request_id: str, message: Message) -> bool:
    return bool(
        message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == request_id
    )


def _result(messages: list[Message], request_id: str) -> Result:
    own = [m for m in messages if m["parent_header"].get("msg_id") == request_id]
    texts: list[str] = []
    outputs: list[nbformat.NotebookNode] = []
    error: str | None = None
    for message in own:
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                texts.append(content["text"])
            case "display_data" | "execute_result" | "update_display_data":
                texts.append(content["data"].get("text/plain", "") + "\n")
            case "error":
                error = f"{content['ename']}: {content['evalue']}"
        if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
            outputs.append(nbformat.v4.output_from_msg(message))
    return Result("".join(texts), outputs, error, messages)


def run_notebook(
    cells: Sequence[str],
    home: Path,
    *,
    name: str = "notebook.ipynb",
    environ: dict[str, str] | None = None,
    within_s: float = 120.0,
    allow_errors: bool = False,
) -> nbformat.NotebookNode:
    """Run a notebook as `jupyter execute` does, and return it with its outputs.

    It runs in `home/work`; `name` may be a notebook that stands there already if `cells` is empty.
    """
    folder = home / "work"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if cells:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, path)
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace", name]
    if allow_errors:
        command.append("--allow-errors")
    done = subprocess.run(
        command,
        cwd=folder,
        env=isolated_environ(home) | (environ or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert done.returncode == 0, f"jupyter execute failed:\n{done.stderr[-4000:]}"
    executed: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    return executed
