"""Peers: real servers of the protocol, each in a process of its own, and what a test knows of one.

A peer is a function that starts one and yields a `Peer`:

    litellm      the LiteLLM proxy from PyPI, in front of our simulator
    sglang       SGLang's server for diffusion models, its GPU half stood in for
    vllm_omni    vLLM-Omni's server, its engine stood in for
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cometvid_nb.settings import Secret, Settings
from cometvid_nb.simulator import Simulator

from .gpu import FAILURE

HERE = Path(__file__).parent
ENVIRONMENT = Path(os.environ.get("PEERS_VENV", HERE.parents[1] / ".venv-peers")).resolve()
CLIP = HERE.parents[1] / "cometvid_nb/simulator/media/landscape.mp4"
READY_WITHIN_S = 120.0
KEY = "sk-peers-0123456789-abcd"
"""The key of every peer that has one. It is invented."""

# Its ids say where a job is to be asked for. Any other id it would ask OpenAI for.
UNKNOWN_TO_LITELLM = "video_" + (
    base64.b64encode(
        b"litellm:custom_llm_provider:openai;model_id:sora-2;video_id:video_nobody_knows"
    ).decode()
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that listens, and how it differs from the others.

    A prompt that begins with "Fail" makes a job that fails with `failure`.
    """

    name: str
    base_url: str
    model: str
    failure: str
    unknown_id: str = "video_nobody_knows"
    """An id as this peer makes them, of a job that is not there."""
    key: str = field(default=KEY, repr=False)
    has_key: bool = True
    """Whether a wrong key is refused."""
    has_remix: bool = False
    upstream: Simulator | None = None
    """The simulator behind a gateway."""

    @property
    def clip(self) -> bytes:
        """The bytes of every clip of 1280x720."""
        return CLIP.read_bytes()

    def settings(self, **changes: Any) -> Settings:
        """Settings that lead our product to this peer."""
        values: dict[str, Any] = {"base_url": self.base_url, "api_key": Secret(self.key)}
        return Settings(**values | changes)

    def environ(self) -> dict[str, str]:
        """The environment that leads another process to this peer."""
        return {"COMETAPI_BASE_URL": self.base_url, "COMETAPI_KEY": self.key}


class Upstream(Simulator):
    """The simulator behind the gateway: "Fail …" makes a job that fails."""

    def create(self, form: Mapping[str, str], idempotency_key: str | None) -> dict[str, Any]:
        answer = super().create(form, idempotency_key)
        if form["prompt"].startswith("Fail"):
            self.fail(str(answer["id"]), FAILURE)
        return answer


@contextmanager
def litellm(folder: Path) -> Iterator[Peer]:
    """LiteLLM's proxy with a master key and one model, which it asks our simulator for."""
    port = _free_port()
    config = folder / "litellm.yaml"
    with Upstream(api_key="sk-upstream", speed=40) as upstream:
        config.write_text(
            "model_list:\n"
            "  - model_name: sora-2\n"
            "    litellm_params:\n"
            "      model: openai/sora-2\n"
            f"      api_base: {upstream.base_url}\n"
            "      api_key: sk-upstream\n"
            f"general_settings: {{master_key: {KEY}}}\n"
        )
        environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # nothing is fetched
        command = [str(ENVIRONMENT / "bin/litellm"), "--config", str(config)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        with _running(command, environ, folder, f"http://127.0.0.1:{port}/health/liveliness"):
            yield Peer(
                "LiteLLM",
                f"http://127.0.0.1:{port}/v1",
                model="sora-2",
                failure=FAILURE,
                unknown_id=UNKNOWN_TO_LITELLM,
                has_remix=True,
                upstream=upstream,
            )


@contextmanager
def sglang(folder: Path) -> Iterator[Peer]:
    """SGLang's server for a Wan model. It knows neither keys nor remixes."""
    with _script("run_sglang.py", folder) as base_url:
        failure = f"Model generation failed. Error from scheduler: {FAILURE}"
        yield Peer("SGLang", base_url, "Wan2.1", failure, has_key=False)


@contextmanager
def vllm_omni(folder: Path) -> Iterator[Peer]:
    """vLLM-Omni's server for a Wan model, with a key. It knows no remixes."""
    with _script("run_vllm_omni.py", folder, KEY) as base_url:
        yield Peer("vLLM-Omni", base_url, "Wan-AI/Wan2.2-T2V-A14B-Diffusers", FAILURE)


PEERS: Mapping[str, Callable[[Path], AbstractContextManager[Peer]]] = {
    "LiteLLM": litellm,
    "SGLang": sglang,
    "vLLM-Omni": vllm_omni,
}


@contextmanager
def _script(name: str, folder: Path, *arguments: str) -> Iterator[str]:
    port = _free_port()
    command = [str(ENVIRONMENT / "bin/python"), str(HERE / name), str(port), str(CLIP), str(folder)]
    with _running([*command, *arguments], {}, folder, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def _running(
    command: list[str], environ: Mapping[str, str], folder: Path, health_url: str
) -> Iterator[None]:
    """Run a server until the end of the block, which begins when it is healthy."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")  # no key, no proxy of the developer
    clean = {name: os.environ[name] for name in kept if name in os.environ}
    log = folder / f"{secrets.token_hex(4)}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**clean, **environ}, stdout=out, stderr=out
        )
    try:
        _wait_until_healthy(process, health_url, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up_at_s = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < give_up_at_s:
        try:
            if httpx.get(url, timeout=2.0, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    end = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    raise RuntimeError(f"a peer did not start:\n{end}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
