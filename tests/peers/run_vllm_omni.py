"""Serves vLLM-Omni's own video API: `python run_vllm_omni.py PORT CLIP FOLDER KEY`.

Theirs are the server's main coroutine with everything in it: the application of vLLM with its
authentication and error bodies, vLLM-Omni's routes, protocol models, job store and storage. Ours is
the engine, the half with the GPU: it answers with the bytes of the file CLIP, or with an error.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gpu import steps
from stand_ins import StandIn, stand_in_for

MODEL = "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
PORT, CLIP, FOLDER, KEY = sys.argv[1:]
os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
os.environ["VLLM_OMNI_SERVER_STORAGE__PATH"] = f"{FOLDER}/storage"
stand_in_for(
    # not installed: they need a GPU, or gigabytes
    *("torch", "torchvision", "torchaudio", "triton", "transformers", "diffusers", "safetensors"),
    # not installed: they serve language models
    *("openai_harmony", "xgrammar", "llguidance", "ijson", "mistral_common"),
    # vLLM's and vLLM-Omni's own code that runs, loads or describes a model
    "vllm._custom_ops",
    "vllm.config",
    "vllm.distributed",
    "vllm.ir",
    "vllm.model_executor",
    "vllm.transformers_utils",
    "vllm.v1.attention",
    "vllm.v1.core",
    "vllm.v1.worker",
    "vllm_omni.config.omni_config",
    "vllm_omni.engine",
    "vllm_omni.model_executor",
    "vllm_omni.patch",
    "vllm_omni.quantization",
    "vllm_omni.transformers_utils",
)
import torch

# The bounds of a seed, which a protocol model reads.
torch.iinfo = lambda _kind: SimpleNamespace(min=-(2**63), max=2**63 - 1)

from vllm.v1.engine.exceptions import EngineGenerateError
from vllm_omni.diffusion.data import (
    DIFFUSION_REQUEST_LIFECYCLE_KEY,
    DIFFUSION_REQUEST_STARTED,
)
from vllm_omni.entrypoints.openai import api_server
from vllm_omni.errors import GuardrailViolationError


class Engine:
    """The engine as the server sees it: one diffusion stage."""

    stage_configs = (
        SimpleNamespace(stage_type="diffusion", final_output=True, final_output_type="video"),
    )
    errored = False
    is_running = True
    model_config = SimpleNamespace(hf_config=None, max_model_len=None)
    renderer = input_processor = StandIn()

    async def generate(self, prompt: Any, **_options: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(
            custom_output={DIFFUSION_REQUEST_LIFECYCLE_KEY: DIFFUSION_REQUEST_STARTED}
        )
        try:
            async for _step in steps(prompt["prompt"]):
                pass  # the protocol has no progress between 0 and 100
        except RuntimeError as error:
            raise EngineGenerateError(str(error)) from error
        except ValueError as error:
            raise GuardrailViolationError(str(error)) from error
        yield SimpleNamespace(
            images=[Path(CLIP).read_bytes()],
            stage_durations={"diffusion": 1.2},
            peak_memory_mb=20_481.5,
        )

    async def abort(self, _request_id: str, **_options: Any) -> None:
        pass

    def shutdown(self, **_options: Any) -> None:
        pass

    async def get_supported_tasks(self) -> tuple[str, ...]:
        return ()

    async def check_health(self) -> None:
        pass


@asynccontextmanager
async def build_engine(_arguments: Any, **_options: Any) -> AsyncIterator[Engine]:
    yield Engine()


class Arguments(Namespace):
    """The arguments of a server; what is not given here has no value."""

    def __getattr__(self, _name: str) -> None:
        return None


async def main() -> None:
    """Serve until SIGTERM."""
    api_server.build_async_omni = build_engine  # the one door to the engine
    arguments = Arguments(
        model=MODEL,
        host="127.0.0.1",
        port=int(PORT),
        api_key=[KEY],
        root_path="",
        allowed_origins=["*"],
        allow_credentials=False,
        allowed_methods=["*"],
        allowed_headers=["*"],
        middleware=[],
        uvicorn_log_level="info",
        h11_max_incomplete_event_size=4_194_304,
        h11_max_header_count=256,
        ssl_cert_reqs=0,
        shutdown_timeout=0,
    )
    sock = socket.create_server(("127.0.0.1", int(PORT)))
    await api_server.omni_run_server_worker(f"http://127.0.0.1:{PORT}", sock, arguments)


if __name__ == "__main__":
    asyncio.run(main())
