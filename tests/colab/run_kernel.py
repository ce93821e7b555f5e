"""A kernel as Colab runs it, as far as this package can tell: names of modules, and secrets.

Started by `page.ColabPage` with the Python of the pins. Like the original it asks the page for a
secret and reads the answer from the channel of `input()`.
"""

from __future__ import annotations

import sys
import time
import types
from typing import Any

import zmq
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell

MANAGER = "https://example.invalid/manager.min.js"


def module(name: str, **contents: Any) -> types.ModuleType:
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    return made


class NotebookAccessError(Exception):
    """The person has not allowed this notebook to read the secret."""


class SecretNotFoundError(Exception):
    """There is no such secret."""


class TimeoutException(Exception):
    """No page has answered."""


def get(key: str) -> str:
    kernel: Any = IPKernelApp.instance().kernel
    content, metadata = {"request": {"key": key}}, {"colab_msg_id": 1}
    session = kernel.session
    session.send(kernel.iopub_socket, session.msg("colab_request", content, metadata=metadata))
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if not kernel.stdin_socket.poll(100, zmq.POLLIN):
            continue
        _, reply = session.recv(kernel.stdin_socket, zmq.NOBLOCK)
        data = reply["content"]["value"]["data"]
        if not data["exists"]:
            raise SecretNotFoundError(key)
        if not data["access"]:
            raise NotebookAccessError(key)
        return str(data["payload"])
    raise TimeoutException(key)


class Shell(ZMQInteractiveShell):  # type: ignore[misc, unused-ignore]
    """The shell, by whose module this package knows Colab."""

    __module__ = "google.colab._shell"


class Kernel(IPythonKernel):  # type: ignore[misc, unused-ignore]
    """The kernel with that shell."""

    def _shell_class_default(self) -> type[Shell]:
        return Shell


def begin() -> None:
    module("google")
    module("google.colab")
    module("google.colab._shell", Shell=Shell)
    widgets = types.SimpleNamespace(_installed_url=None)

    def enable_custom_widget_manager() -> None:
        widgets._installed_url = MANAGER

    module(
        "google.colab.output",
        _widgets=widgets,
        enable_custom_widget_manager=enable_custom_widget_manager,
    )
    module("google.colab.userdata", get=get)
    app: Any = IPKernelApp.instance(kernel_class=Kernel)
    app.initialize(sys.argv[1:])
    app.start()


begin()
