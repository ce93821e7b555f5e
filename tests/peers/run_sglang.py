"""Serves SGLang's own video API: `python run_sglang.py PORT CLIP FOLDER`.

Theirs are the application, its routes, protocol models, job store, progress and errors, and the
arguments of a server for a Wan model. Ours is the answer of the process with the GPU: the bytes of
the file CLIP, or an error.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from gpu import STEPS, steps
from stand_ins import stand_in_for

MODEL = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
# Nothing is fetched: the name of the model alone tells SGLang which pipeline to describe.
os.environ |= {"HF_HUB_OFFLINE": "1", "SGLANG_USE_CPU_ENGINE": "1"}
stand_in_for(
    # not installed: they need a GPU, or gigabytes
    *("torch", "torchvision", "torchaudio", "triton", "transformers", "diffusers"),
    *("safetensors", "imageio", "imageio_ffmpeg", "addict"),
    # SGLang's own code that runs or loads a model
    "sglang.kernels",
    "sglang.srt.configs",
    "sglang.srt.distributed",
    "sglang.srt.layers",
    "sglang.srt.managers",
    "sglang.srt.model_loader",
    "sglang.srt.utils.hf_transformers",
    "sglang.srt.utils.hf_transformers_patches",
    "sglang.multimodal_gen.runtime.cache",
    "sglang.multimodal_gen.runtime.layers",
    "sglang.multimodal_gen.runtime.loader",
    "sglang.multimodal_gen.runtime.pipelines_core.stages",
)

import uvicorn
from sglang.multimodal_gen.runtime.entrypoints.http_server import create_app
from sglang.multimodal_gen.runtime.entrypoints.openai.video_progress import (
    VIDEO_PROGRESS,
    apply_progress,
)
from sglang.multimodal_gen.runtime.pipelines_core.schedule_batch import OutputBatch
from sglang.multimodal_gen.runtime.scheduler_client import async_scheduler_client
from sglang.multimodal_gen.runtime.server_args import ServerArgs, set_global_server_args


def main(port: str, clip: str, folder: str) -> None:
    """Serve until SIGTERM; clips and uploads go into `folder`."""

    async def forward_one(_endpoint: str, batch: Any, _timeout_ms: int | None) -> Any:
        request = batch[0] if isinstance(batch, list) else batch
        try:
            async for step in steps(request.prompt):
                told = VIDEO_PROGRESS.update(request.request_id, step, STEPS)
                if told is not None:
                    await apply_progress(*told)
        except (RuntimeError, ValueError) as error:
            return OutputBatch(error=str(error))
        count = request.num_outputs_per_prompt
        paths = [str(request.output_file_path(count, index)) for index in range(count)]
        for path in paths:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(clip, path)
        return OutputBatch(output_file_paths=paths, peak_memory_mb=20_481.5)

    async_scheduler_client._forward_one = forward_one  # the one door to the GPU's process
    arguments = ServerArgs.from_kwargs(
        model_path=MODEL,
        port=int(port),
        output_path=f"{folder}/outputs",
        input_save_path=f"{folder}/uploads",
    )
    set_global_server_args(arguments)
    uvicorn.run(create_app(arguments), host="127.0.0.1", port=int(port), log_level="info")


if __name__ == "__main__":
    main(*sys.argv[1:])
