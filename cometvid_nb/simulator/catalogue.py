"""The catalogue of the simulated endpoint: `GET /api/models`, and `GET /v1/models` in brief."""

from __future__ import annotations

from collections.abc import Mapping

from cometvid_nb.simulator.families import FAMILIES, Family
from cometvid_nb.simulator.shapes.answer import JobJson

DOCS = "https://docs.cometapi.invalid"
"""No page of the real documentation: the entries here are simulated."""
CREATED_AT_S = 1_764_547_200

_PRICES = {"input": None, "output": None, "per_request": None, "per_second": None}


def _entry(
    model: str,
    provider: str,
    kind: str,
    features: list[str],
    pricing: Mapping[str, object] | None,
) -> JobJson:
    return {
        "id": model,
        "provider": provider,
        "model_type": kind,
        "name": model,
        "features": features,
        "pricing": None if pricing is None else {**_PRICES, **pricing},
        "api_doc_url": f"{DOCS}/{kind}/{model}",
    }


def _features(family: Family) -> list[str]:
    features = ["text-to-video"]
    features += ["image-to-video"] if family.most_pictures else []
    features += ["first-last-frame"] if family.name == "Veo" else []
    return features + (["audio"] if family.has_sound else [])


_OTHERS = (
    ("gpt-5.1", "openai", "text", ["chat"], {"input": 1, "output": 8}),
    ("gemini-3-pro-image", "google", "image", ["text-to-image"], {"per_request": 0.11}),
    ("suno-v5", "suno", "audio", ["text-to-music"], {"per_request": 0.1}),
    ("whisper-1", "openai", "audio", ["speech-to-text"], None),
)
"""Models that make no video: a client must leave them out."""
_CURRENCY = {"text": "USD / M Tokens", "image": "USD / Request", "audio": "USD / Request"}

CATALOGUE: tuple[JobJson, ...] = (
    *(
        _entry(model, family.provider, "video", _features(family), family.pricing)
        for family in FAMILIES
        for model in family.models
    ),
    _entry("dreamer-1", "unheard", "video", ["text-to-video"], {"currency": "USD / Second"}),
    *(
        _entry(
            model,
            provider,
            kind,
            features,
            None if price is None else {"currency": _CURRENCY[kind], **price},
        )
        for model, provider, kind, features, price in _OTHERS
    ),
)
"""The models, with prices per second, per request, by tokens, and none at all."""


def catalogue() -> JobJson:
    """Return the answer to GET /api/models, all on one page."""
    told = {"success": True, "page": 0, "page_size": 0, "total": len(CATALOGUE)}
    return {**told, "data": list(CATALOGUE)}


def openai_list() -> JobJson:
    """Return the answer to GET /v1/models, in the form of OpenAI's API."""
    data = [
        {
            "id": model["id"],
            "object": "model",
            "created": CREATED_AT_S,
            "owned_by": model["provider"],
        }
        for model in CATALOGUE
    ]
    return {"object": "list", "data": data}
