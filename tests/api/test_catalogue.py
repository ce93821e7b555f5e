"""The list of models: read whatever it is, asked for once a day, priced without inventing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from cometvid_nb.api.catalogue import Catalogue, Model, read_models
from cometvid_nb.api.offer import FRESH_FOR_S, offered_models
from cometvid_nb.api.prices import Price, estimate, read_price
from cometvid_nb.api.shelf import Shelf
from cometvid_nb.errors import BadKey, CometVidError, ConnectionTrouble, ServerTrouble
from cometvid_nb.settings import Secret, Settings
from tests.catalogue import LISTED, OPENAI_LISTED, PAGE_URL, Answering, answering
from tests.simulated import KEY
from tests.strategies import json_values

PER_SECOND = Price("second", "USD", (("", 0.1),))
BY_RESOLUTION = Price("second", "USD", (("720p", 0.4), ("1080p", 0.4), ("2160p", 0.6)))
PER_REQUEST = Price("request", "USD", (("", 0.35),))


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


def settings_of(server: Answering, **values: Any) -> Settings:
    given: dict[str, Any] = {"api_key": Secret(KEY), "base_url": server.base_url}
    return Settings(**given | values)


async def offered(server: Answering, shelf: Shelf | None = None, **values: Any) -> Catalogue:
    catalogue, problem = await offered_models(settings_of(server, **values), shelf or Shelf())
    assert problem is None
    return catalogue


# Reading.


def test_the_list_of_cometapi_is_read_with_its_prices_and_pages() -> None:
    sora, veo, seedance, gpt = read_models(LISTED)
    assert sora == Model(
        "sora-2", "openai", ("text-to-video", "image-to-video"), PER_SECOND, None, True
    )
    assert (veo.price, veo.page_url) == (BY_RESOLUTION, PAGE_URL)
    assert (seedance.price, gpt.is_video) == (None, False)
    assert [model.id for model in Catalogue((sora, gpt), 0.0).videos] == ["sora-2"]


def test_the_list_of_openai_is_read_and_says_nothing_of_videos() -> None:
    first, _ = read_models(OPENAI_LISTED)
    assert first == Model("my/own-model", "me")
    assert read_models(["a", "b"]) == [Model("a"), Model("b")]
    assert read_models({"data": {"models": [{"id": "a"}]}}) == [Model("a")]


def test_what_is_no_model_is_left_out_and_what_is_odd_is_bounded() -> None:
    odd = {
        "id": "x",
        "provider": "a\x1b[2Jb\n" + "c" * 1000,
        "features": ["f" * 1000, 7, None] * 100,
        "pricing": "free",
        "api_doc_url": "javascript:alert(1)",
    }
    [model] = read_models([odd, {"id": "two words"}, {"id": "i" * 300}, {"id": 7}, None, 7, [], ""])
    assert (model.id, model.price, model.page_url) == ("x", None, None)
    assert len(model.provider) <= 60
    assert "\x1b" not in model.provider
    assert sum(map(len, model.features)) <= 60 * 20


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example/x", "//a.example", "https://", "https://me:pw@a.example/", "data:,x"),
        *("https://[bad", "https://a.example/\x00", "https://a.example/a b", "https://é.example"),
        *(7, None, "https://a.example/" + "x" * 300),
    ],
)
def test_only_a_plain_web_address_is_a_page(url: object) -> None:
    assert read_models([{"id": "x", "api_doc_url": url}])[0].page_url is None


def test_a_list_without_end_is_cut() -> None:
    assert len(read_models([{"id": f"m{n}"} for n in range(5000)])) == 3000


@given(json_values)
def test_any_json_is_a_list_of_models_or_none(value: object) -> None:
    for payload in (value, {"data": value}, [{"id": "x", "pricing": value, "features": value}]):
        try:
            models = read_models(payload)
        except ValueError:
            continue
        assert all(model.id for model in models)
        assert all(model.price is None or model.price.amounts for model in models)


# Prices.


@pytest.mark.parametrize(
    ("pricing", "told"),
    [
        ({"currency": "USD / Second", "per_second": "0.40"}, "0.40 USD per second"),
        ({"currency": "USD / Second", "per_second": 0.0125}, "0.0125 USD per second"),
        ({"currency": "USD / Request", "per_request": 1}, "1.00 USD per request"),
        ({"currency": "CNY / Video", "per_request": 2.5}, "2.50 CNY per request"),
        ({"per_second": 0.1}, "0.10 USD per second"),
        ({"per_second": 0.1, "per_request": 3, "currency": "$ / Second"}, "0.10 $ per second"),
        (
            {"currency": "USD / Second", "per_second": {"720P": 0.4, "1080p": 0.4, "4K": "0.6"}},
            "720p, 1080p 0.40; 2160p 0.60 USD per second",
        ),
        (
            {
                "currency": "USD / Second",
                "per_second": [
                    {"resolution": "1280x720", "price": 0.1},
                    {"resolution": "1792x1024", "price": 0.3},
                ],
            },
            "720p 0.10; 1024p 0.30 USD per second",
        ),
    ],
)
def test_a_price_is_told_as_it_is_published(pricing: object, told: str) -> None:
    assert str(read_price(pricing)) == told


@pytest.mark.parametrize(
    "pricing",
    [
        *(None, "free", [], {}, {"per_second": None}, {"per_second": 0}, {"per_request": -1}),
        *({"per_second": True}, {"per_second": "about 1"}, {"per_second": float("nan")}),
        {"per_second": 0.1, "per_request": 3},
        {"per_second": 0.1, "currency": "USD / M Tokens"},
        {"per_second": {"720p": 0.1, "fast": 0.2}},
        {"per_second": {"720p": 0.1, "1080p": None}},
        {"per_second": {"720p": 0.1, "1280x720": 0.2}},
        {"per_second": [0.1, 0.2]},
        {"input": 1.2, "output": 7, "currency": "USD / M Tokens"},
    ],
)
def test_a_price_that_does_not_say_what_a_clip_costs_is_not_known(pricing: object) -> None:
    assert read_price(pricing) is None


@pytest.mark.parametrize(
    ("price", "asked", "least", "most"),
    [
        (PER_SECOND, {"seconds": "8"}, 0.8, 0.8),
        (PER_SECOND, {"seconds": 4, "count": 6, "size": "720x1280"}, 2.4, 2.4),
        (PER_REQUEST, {}, 0.35, 0.35),
        (PER_REQUEST, {"count": 2, "seconds": "8"}, 0.7, 0.7),
        (BY_RESOLUTION, {"seconds": "10", "resolution": "4k"}, 6.0, 6.0),
        (BY_RESOLUTION, {"seconds": "10", "resolution": "1080P"}, 4.0, 4.0),
        (BY_RESOLUTION, {"seconds": "10", "size": "720x1280"}, 4.0, 4.0),
        (BY_RESOLUTION, {"seconds": "10", "size": "16:9"}, 4.0, 6.0),
        (BY_RESOLUTION, {"seconds": "10", "size": "16x9", "resolution": "720p"}, 4.0, 4.0),
        (BY_RESOLUTION, {"seconds": 10}, 4.0, 6.0),
    ],
)
def test_an_estimate_follows_the_published_price(
    price: Price, asked: dict[str, Any], least: float, most: float
) -> None:
    told = estimate(price, **asked)
    assert told is not None
    assert [told.least, told.most] == pytest.approx([least, most])
    assert "estimate" in str(told)
    assert (" to " in str(told)) is (most > least)


@pytest.mark.parametrize(
    ("price", "asked"),
    [
        (None, {"seconds": 8}),
        (PER_SECOND, {}),
        (PER_SECOND, {"seconds": ""}),
        (PER_SECOND, {"seconds": "soon"}),
        (PER_SECOND, {"seconds": 0}),
        (BY_RESOLUTION, {"seconds": 8, "resolution": "480p"}),
    ],
)
def test_what_is_not_known_is_no_estimate(price: Price | None, asked: dict[str, Any]) -> None:
    assert estimate(price, **asked) is None


# Asking.


async def test_the_public_list_is_asked_for_without_a_key(server: Answering) -> None:
    assert len((await offered(server, is_simulated=True)).models) == 4
    assert server.asked == [("/api/models", None)]


async def test_a_server_of_ones_own_is_asked_for_its_list_with_its_key(server: Answering) -> None:
    server.body = OPENAI_LISTED
    assert (await offered(server)).find("other") is not None
    assert (await offered(server, Shelf(), base_url=f"{server.base_url}/b")).find("none") is None
    assert server.asked[0] == ("/v1/models", f"Bearer {KEY}")


async def test_without_a_key_no_header_is_sent(server: Answering) -> None:
    await offered(server, api_key=None)
    assert server.asked == [("/v1/models", None)]


async def test_one_day_is_asked_once_on_all_of_this_machine(server: Answering) -> None:
    for _ in range(2):
        assert await offered(server, Shelf()) == await offered(server, Shelf())
    assert len(server.asked) == 1


async def test_each_base_url_has_a_list_of_its_own(server: Answering) -> None:
    shelf = Shelf()
    await offered(server, shelf)
    server.body = OPENAI_LISTED
    await offered(server, shelf, base_url=f"{server.base_url}/other")
    assert [path for path, _ in server.asked] == ["/v1/models", "/v1/other/models"]
    kept = shelf.get(f"{server.base_url}/other")
    assert kept is not None
    assert kept.find("my/own-model") is not None
    assert shelf.get("https://elsewhere.example/v1") is None


@pytest.mark.parametrize("age_s", [FRESH_FOR_S + 1, -60.0], ids=["old", "of the future"])
async def test_after_a_day_it_is_asked_again(server: Answering, age_s: float) -> None:
    shelf = Shelf()
    before = Catalogue((Model("old"),), time.time() - age_s)
    shelf.put(server.base_url, before)
    assert (await offered(server, shelf)).find("sora-2") is not None


async def test_in_trouble_the_last_list_is_given_with_the_reason(server: Answering) -> None:
    before = Catalogue((Model("old"),), time.time() - 3 * 86400)
    Shelf().put(server.base_url, before)
    server.status = 503
    catalogue, problem = await offered_models(settings_of(server), Shelf())
    assert catalogue == before
    assert isinstance(problem, ServerTrouble)


ODD_ANSWERS: dict[str, tuple[int, Any, type[CometVidError], str]] = {
    "a page": (200, b"<html>hello</html>", ServerTrouble, "an HTML page"),
    "no JSON": (200, b"\xff\xfe", ServerTrouble, "something else"),
    "nothing": (200, b"", ServerTrouble, "something else"),
    "an empty list": (200, {"data": []}, ServerTrouble, "JSON without a model"),
    "no list": (200, {"data": "x"}, ServerTrouble, "JSON without a model"),
    "a number": (200, 7, ServerTrouble, "JSON without a model"),
    "deep": (200, b"[" * 100_000, ServerTrouble, "something else"),
    "an error under 200": (200, {"success": False, "message": "not\x1b now"}, ServerTrouble, "not"),
    "an error": (500, {"error": {"message": "broken"}}, ServerTrouble, "broken"),
    "huge": (200, b"x" * (5 * 1024 * 1024), ConnectionTrouble, "cannot be read"),
    "a key wanted": (401, {"error": {"message": "Who?"}}, BadKey, "Who?. No API key is set"),
    "no such path": (404, b"<html>", CometVidError, "404"),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_an_odd_answer_is_told_in_bounded_words(server: Answering, name: str) -> None:
    server.status, server.body, kind, words = ODD_ANSWERS[name]
    with pytest.raises(kind) as caught:
        await offered_models(settings_of(server, api_key=None), Shelf())
    told = str(caught.value)
    assert words.removesuffix(". No API key is set") in told
    assert len(told) < 600
    assert told.isprintable()


async def test_a_base_url_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(CometVidError, match="no TLS"):
        await offered_models(Settings(base_url="http://10.0.0.5/v1"), Shelf())


# Keeping.


def test_what_is_kept_is_read_as_it_was(server: Answering) -> None:
    before = Catalogue(tuple(read_models(LISTED)), 1_781_079_478.5)
    Shelf().put(server.base_url, before)
    assert Shelf().get(server.base_url) == before


def test_a_list_that_another_process_has_renewed_is_read_anew() -> None:
    shelf, url = Shelf(), "https://a.example/v1"
    shelf.put(url, Catalogue((Model("a"),), 1.0))
    time.sleep(0.01)  # two writes within one tick of the file system's clock are one
    Shelf().put(url, Catalogue((Model("b"),), 2.0))
    kept = shelf.get(url)
    assert kept is not None
    assert kept.find("b") is not None


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b'{"data": 7}', b"[" * 100_000])
def test_a_damaged_file_is_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Shelf().put("https://a.example/v1", Catalogue((Model("a"),), 1.0))
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(damage)
    assert Shelf().get("https://a.example/v1") is None


def test_where_nothing_can_be_written_the_list_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    shelf = Shelf()
    shelf.put("https://a.example/v1", Catalogue((Model("a"),), 1.0))
    kept = shelf.get("https://a.example/v1")
    assert kept is not None
    assert kept.find("a") is not None
    assert Shelf().get("https://a.example/v1") is None


async def test_a_simulation_leaves_no_file(
    server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shelf = Shelf()
    await offered(server, shelf, is_simulated=True)
    assert shelf.get(server.base_url) is not None
    assert list(tmp_path.rglob("*.json")) == []


async def test_a_server_that_never_ends_its_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cometvid_nb.api.offer.ASKED_WITHIN_S", 0.3)

    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: 1\r\n"[:1])
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        settings = Settings(base_url=f"http://127.0.0.1:{port}/v1")
        with pytest.raises(ConnectionTrouble):
            await offered_models(settings, Shelf())
