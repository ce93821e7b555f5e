"""What takes the place of a GPU: the same clip for every prompt, after a few steps, or an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

STEPS = 8
STEP_S = 0.15
FAILURE = "CUDA out of memory. Tried to allocate 20.00 GiB."
"""What a prompt that begins with "Fail" ends in."""
REFUSAL = "Guardrail: the prompt was blocked."
"""What a prompt that begins with "Refuse" ends in."""


async def steps(prompt: str) -> AsyncIterator[int]:
    """Yield the number of each step of making a clip, while it is being made.

    Raises:
        RuntimeError: the prompt asked for a failure.
        ValueError: the prompt asked to be refused.
    """
    for step in range(1, STEPS + 1):
        await asyncio.sleep(STEP_S)
        yield step
        if step == STEPS // 2 and prompt.startswith("Fail"):
            raise RuntimeError(FAILURE)
        if step == STEPS // 2 and prompt.startswith("Refuse"):
            raise ValueError(REFUSAL)
