"""The shapes of ids that real servers give to jobs, by name.

`Simulator(ids="<name>")` gives such ids to created jobs, and so does the model `ids-<name>`.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(_LETTERS, k=count))


def _litellm(rng: random.Random, provider: str, model: str, upstream: int) -> str:
    """As LiteLLM's: provider, model and the provider's own id, in base64 behind a prefix."""
    told = f"litellm:custom_llm_provider:{provider};model_id:{model};"
    told += f"video_id:video_{_letters(rng, upstream)}"
    return f"video_{base64.b64encode(told.encode()).decode()}"


def _padded(rng: random.Random) -> str:
    # 16 bytes are no multiple of 3, so that base64 ends in "==".
    return base64.b64encode(rng.randbytes(16)).decode()


ID_SHAPES: dict[str, Callable[[random.Random], str]] = {
    "plain": lambda rng: f"video_{rng.getrandbits(96):024x}",
    "uuid": lambda rng: "-".join(_letters(rng, count) for count in (8, 4, 4, 4, 12)),
    "digits": lambda rng: str(rng.randrange(10**18, 10**19)),
    "litellm": lambda rng: _litellm(rng, "openai", _letters(rng, 24), 87),
    "litellm_long": lambda rng: _litellm(rng, "vertex_ai", _letters(rng, 80), 157),
    "slashes": lambda rng: f"models/veo-3.1/operations/{_letters(rng, 12)}",
    "slashes_long": lambda rng: (
        f"projects/p-{_letters(rng, 6)}/locations/us-central1/publishers/google/"
        f"models/veo-3.1-generate/operations/{_letters(rng, 32)}"
    ),
    "dash": lambda rng: f"-{_letters(rng, 20)}",
    "dashes": lambda rng: f"--wait-{_letters(rng, 12)}",
    "padded": _padded,
    "padded_url": lambda rng: base64.urlsafe_b64encode(rng.randbytes(40)).decode(),
    "quotes": lambda rng: f'it\'s-"{_letters(rng, 8)}"-`{_letters(rng, 4)}`',
    "colons": lambda rng: f"task:{_letters(rng, 6)}:{_letters(rng, 6)}",
    "dots": lambda rng: f"../v1/{_letters(rng, 8)}.mp4",
    "percent": lambda rng: f"a%2Fb%20{_letters(rng, 8)}",
    "query": lambda rng: f"a?b={_letters(rng, 6)}&c#{_letters(rng, 3)}",
    "braces": lambda rng: f"{{{_letters(rng, 8)}}}$HOME",
    "spaces": lambda rng: f"video {_letters(rng, 8)} 1",
    "accents": lambda rng: f"vid\u00e9o-\u5f71\u7247-{_letters(rng, 8)}",
}
"""By name: from a random source to an id."""
