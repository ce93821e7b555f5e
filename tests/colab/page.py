"""ColabPage: a kernel with Colab's pins, and the page before it, which holds what a file would.

What the kernel sends while no request of this page runs is lost: Colab promises no more.
"""

from __future__ import annotations

import os
import queue
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.environment import isolated_environ

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / os.environ.get("COLAB_VENV", ".venv-colab") / "bin" / "python"
KERNEL = Path(__file__).parent / "run_kernel.py"
WITHIN_S = 90.0

Message = dict[str, Any]


class ColabPage:
    """Runs cells, holds their outputs, widgets and messages; `secrets` answers the kernel."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.folder = home / "content"
        self.folder.mkdir()
        self.outputs: list[nbformat.NotebookNode] = []
        """Those of the cell that ran last, as the file would hold them at this moment."""
        self.lost: list[Message] = []
        self.models: dict[str, dict[str, Any]] = {}
        """The state of each widget, by its id, in the order they were made."""
        self.sent: list[Message] = []
        """The custom messages to widgets."""
        self.secrets: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        """The secrets that the kernel has asked for."""
        self._shown: dict[str, nbformat.NotebookNode] = {}
        self._running: set[str] = set()
        self._cell = ""
        self._manager = KernelManager(kernel_name="python3")
        assert self._manager.kernel_spec is not None
        self._manager.kernel_spec.argv = [str(PYTHON), str(KERNEL), "-f", "{connection_file}"]
        self._manager.start_kernel(
            cwd=str(self.folder),
            env=isolated_environ(home) | {"PYTHONWARNINGS": "ignore"} | environ,
        )
        self.client: BlockingKernelClient = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=WITHIN_S)

    def stop(self) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run(self, code: str) -> str:
        """Run a cell to its end; return its text, that of errors too."""
        self.outputs = []
        self._cell = self.client.execute(code, allow_stdin=True)
        self._finish(self._cell)
        texts = []
        for output in self.outputs:
            data = output.get("data", {})
            texts.append(output.get("text") or output.get("evalue") or data.get("text/plain", ""))
        return "".join(texts)

    def ask(self, model_id: str, content: dict[str, Any]) -> list[Message]:
        """Send a widget a message; return what custom messages come while it is handled."""
        first = len(self.sent)
        session = self.client.session
        data = {"comm_id": model_id, "data": {"method": "custom", "content": content}}
        message = session.msg("comm_msg", data)
        self.client.shell_channel.send(message)
        self._finish(message["header"]["msg_id"])
        return self.sent[first:]

    @property
    def html(self) -> str:
        """What the cell shows at its end, which must be no widget."""
        shown = [output["data"] for output in self.outputs if "data" in output]
        assert len(shown) == 1, (self.outputs, self.lost)
        [data] = shown
        assert "application/vnd.jupyter.widget-view+json" not in data
        return str(data["text/html"])

    def _finish(self, request_id: str) -> None:
        deadline_s, was_running = time.monotonic() + WITHIN_S, False
        while not was_running or request_id in self._running:
            assert time.monotonic() < deadline_s, "the request was not done in time"
            was_running = was_running or request_id in self._running
            try:
                self._take(self.client.get_iopub_msg(timeout=0.05))
            except queue.Empty:
                continue

    def _take(self, message: Message) -> None:
        kind, content = message["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id")
        if kind == "colab_request":
            self._tell_secret(content["request"]["key"], message["metadata"]["colab_msg_id"])
        elif kind == "status":
            is_busy = content["execution_state"] == "busy"
            (self._running.add if is_busy else self._running.discard)(parent)
        elif parent not in self._running:
            self.lost.append(message)
        elif kind in ("display_data", "execute_result", "stream", "error"):
            output = nbformat.v4.output_from_msg(message)
            if parent == self._cell:
                self.outputs.append(output)
            self._shown[content.get("transient", {}).get("display_id", "")] = output
        elif kind == "update_display_data":
            output = self._shown[content["transient"]["display_id"]]
            output["data"] = nbformat.from_dict(content["data"])
        elif kind == "comm_open":
            self.models[content["comm_id"]] = dict(content["data"].get("state", {}))
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            self.models[content["comm_id"]] |= content["data"]["state"]
        elif kind == "comm_msg":
            self.sent.append({**content["data"]["content"], "buffers": message["buffers"]})

    def _tell_secret(self, key: str, request: int) -> None:
        self.asked.append(key)
        data = self.secrets.get(key, {"exists": False})
        value = {"type": "colab_reply", "colab_msg_id": request, "data": data}
        self.client.stdin_channel.send(self.client.session.msg("input_reply", {"value": value}))
