"""Offer: the models that an endpoint offers, asked for once a day.

CometAPI publishes its list beside the API (`/api/models`) for everyone, so no key is sent. Any
other server has the list of OpenAI's API (`/v1/models`), which has ids and no prices.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from ..errors import CometVidError, ServerTrouble
from ..settings import Settings, origin_of
from .answers import NOT_JSON, Answer, for_want_of_a_key, no_answer, refusal, without_frames
from .catalogue import Catalogue, Model, line_of, read_models
from .shelf import Shelf
from .transport import AsyncHttp, open_http, trusted, whole

FRESH_FOR_S = 86400.0
"""A catalogue changes some times a month."""
ASKED_WITHIN_S = 20.0


async def offered_models(
    settings: Settings, shelf: Shelf
) -> tuple[Catalogue, CometVidError | None]:
    """Return the catalogue of today if it can be had, else the last one and the reason.

    Raises:
        CometVidError: there is none at all.
    """
    now_s = time.time()
    last = shelf.get(settings.base_url)
    if last is not None and 0 <= now_s - last.fetched_at_s < FRESH_FOR_S:
        return last, None
    try:
        catalogue = await fetch(settings, now_s)
    except CometVidError as error:
        if last is None:
            raise
        return last, error
    shelf.put(settings.base_url, catalogue, is_lasting=not settings.is_simulated)
    return catalogue, None


async def fetch(settings: Settings, now_s: float) -> Catalogue:
    """Ask the configured endpoint for its models.

    Raises:
        SettingsError: the endpoint cannot be asked. ApiError, TransientError: it gave no list.
    """
    settings.check_base_url()
    url, asking = f"{settings.base_url}/models", settings
    if settings.needs_key or settings.is_simulated:
        parts = urlsplit(settings.base_url)
        # Public, so that it shows the models before there is a key, and needs to know no key.
        url, asking = f"{parts.scheme}://{parts.netloc}/api/models", replace(settings, api_key=None)
    limits = httpx.Limits(max_connections=1)
    try:
        async with (
            asyncio.timeout(ASKED_WITHIN_S),
            open_http(AsyncHttp, asking, url, httpx.Timeout(10.0), limits, trusted(url)) as http,
        ):
            response, body = await whole(http, http.build_request("GET", url))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise no_answer(error, "the API", origin_of(url)[1]) from without_frames(error)
    answer = Answer(response.status_code, response.headers, body)
    if not response.is_success:
        refused = refusal(answer, "of the list of models", now_s)
        raise for_want_of_a_key(refused, settings) if asking is settings else refused
    return Catalogue(tuple(_models_in(answer, url)), now_s)


def _models_in(answer: Answer, url: str) -> list[Model]:
    try:
        models = read_models(answer.payload)
    except ValueError:
        models = []
    if models:
        return models
    kind = "an HTML page" if answer.is_html else "something else"
    if isinstance(answer.payload, dict) and (words := line_of(answer.payload.get("message"), 300)):
        kind = f"“{words}”"
    elif answer.payload is not NOT_JSON:
        kind = "JSON without a model"
    raise ServerTrouble(
        f"{url} answered with {kind} instead of a list of models.",
        advice="Check base_url with %cometvid config: it should end in /v1.",
    )
