"""What each family of models takes and answers, what a strict simulator refuses, and its list."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.simulator import Simulator
from cometvid_nb.simulator.catalogue import CATALOGUE
from cometvid_nb.simulator.clips import MEDIA
from cometvid_nb.simulator.families import FAMILIES, Family, family_of
from cometvid_nb.simulator.forms import parse_form, picture
from tests.simulator.asking import client_of, code_of, get_job

strict = pytest.mark.simulator(strict=True)


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG, which is all that a server needs to see its size."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(20)


def create(
    http: httpx.Client, model: str, *pictures: bytes, name: str = "input_reference", **fields: str
) -> httpx.Response:
    form: list[tuple[str, Any]] = [("model", (None, model)), ("prompt", (None, "a comet"))]
    form += [(key, (None, text)) for key, text in fields.items()]
    form += [(name, (f"{at}.png", content, "image/png")) for at, content in enumerate(pictures)]
    return http.post("/videos", files=form)


@strict
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_strict_simulator_takes_all_that_a_family_takes(
    http: httpx.Client, family: Family
) -> None:
    for model in family.models:
        assert create(http, model).is_success
        for seconds in family.seconds:
            assert create(http, model, seconds=str(seconds)).is_success
        for size in family.sizes:
            assert create(http, model, size=size).is_success
        for field, values in family.others.items():
            assert all(create(http, model, **{field: value}).is_success for value in values)
        pictures = [png(1280, 720)] * family.most_pictures
        assert create(http, model, *pictures).is_success


@strict
@pytest.mark.parametrize(
    ("model", "fields", "words"),
    [
        ("sora-2", {"seconds": "5"}, "'5' is not one of 4, 8, 12"),
        ("sora-2", {"size": "16:9"}, "'16:9' is not one of 1280x720"),
        ("sora-2", {"size": "720p"}, "size"),
        ("sora-2", {"size": "1792x1024"}, "size"),
        ("sora-2", {"aspect_ratio": "16:9"}, "no such parameter"),
        ("doubao-seedance-2-0", {"seconds": "3"}, "seconds"),
        ("doubao-seedance-2-0", {"resolution": "1080p"}, "resolution"),
        ("doubao-seedance-1-0-pro", {"seconds": "12"}, "seconds"),
        ("doubao-seedance-1-5-pro", {"size": "5:4"}, "size"),
        ("veo3.1", {"seconds": "4"}, "seconds"),
        ("veo3.1", {"size": "1280x720"}, "16x9, 9x16"),
        ("wan2.6", {"seconds": "4"}, "5, 10, 15"),
        ("wan2.7", {"size": "1088x832"}, "size"),
        ("happyhorse-1.0", {"seconds": "2"}, "seconds"),
        ("viduq3", {"seconds": "17"}, "seconds"),
        ("viduq3-turbo", {"size": "720x1280"}, "size"),
        ("omni-fast", {"size": "1280x720"}, "no such parameter"),
        ("omni-fast", {"resolution": "480p"}, "resolution"),
        ("wan2.7", {"seed": "7"}, "no such parameter"),
    ],
)
def test_a_strict_simulator_refuses_the_rest_in_the_familys_own_words(
    sim: Simulator, http: httpx.Client, model: str, fields: dict[str, str], words: str
) -> None:
    known = sim.jobs
    refused = create(http, model, **fields)
    is_seedance = model.startswith("doubao")
    assert refused.status_code == 400
    assert code_of(refused) == ("InvalidParameter" if is_seedance else "invalid_request")
    assert refused.json()["error"]["param"] == next(iter(fields))
    assert words in refused.json()["error"]["message"]
    assert sim.jobs == known


@strict
@pytest.mark.parametrize(
    ("model", "pictures", "is_taken"),
    [
        ("sora-2", [png(1280, 720)], True),
        ("sora-2", [png(720, 1280)], False),
        ("sora-2", [png(1280, 720)] * 2, False),
        ("doubao-seedance-2-0", [png(9, 9)] * 4, True),
        ("doubao-seedance-2-0", [(MEDIA / "other.gif").read_bytes()], False),
        ("doubao-seedance-1-5-pro", [png(9, 9)], False),
        ("veo3-fast", [png(9, 9)] * 2, True),
        ("veo3-fast", [png(9, 9)] * 3, False),
        ("wan2.6", [png(1280, 720)], False),
        ("omni-fast", [png(1280, 720)], False),
    ],
)
def test_a_strict_simulator_counts_and_looks_at_pictures(
    http: httpx.Client, model: str, pictures: Sequence[bytes], *, is_taken: bool
) -> None:
    assert create(http, model, *pictures).is_success is is_taken


@strict
def test_a_strict_simulator_knows_neither_other_files_nor_other_models(http: httpx.Client) -> None:
    assert create(http, "veo3.1", png(9, 9), name="image").status_code == 400
    assert code_of(create(http, "dreamer-9")) == "model_not_found"
    assert create(http, "dialect-sparse", anything="goes").is_success


def test_a_plain_simulator_takes_every_field_of_every_model(http: httpx.Client) -> None:
    assert create(http, "sora-2", png(3, 3), png(4, 4), seed="7", seconds="5").is_success
    assert create(http, "dreamer-9", size="21:9", resolution="8K").is_success


def test_a_model_is_of_the_family_with_the_longest_beginning() -> None:
    assert family_of("sora-2-pro").name == "Sora Pro"
    assert family_of("sora-2-2026-01-01").name == "Sora"
    assert family_of("veo3-fast-frames").name == "Veo"
    assert family_of("kling-3").name == "unknown"


def test_the_families_answer_as_they_are_documented(sim: Simulator, http: httpx.Client) -> None:
    seedance = create(http, "doubao-seedance-2-0", size="9:16").json()
    assert (seedance["status"], seedance["seconds"], seedance["size"]) == ("SUBMITTED", "5", "9:16")
    veo = create(http, "veo3.1", size="9x16").json()
    assert (veo["model"], veo["seconds"], veo["size"]) == ("veo_3_1-4K", "", "9x16")
    omni = create(http, "omni-fast", aspect_ratio="9:16", resolution="1080p").json()
    assert omni["size"] == "1080x1920"
    for job, has_sound, shape in ((seedance, True, "portrait"), (omni, False, "landscape")):
        sim.finish(job["id"])
        clip = sim.clip_bytes(job["id"])
        assert (b"mp4a" in clip) is has_sound
        suffix = "_sound" if has_sound else ""
        assert clip == (MEDIA / f"{shape}{suffix}.mp4").read_bytes(), "whatever was asked for"


def test_a_form_is_remembered_in_its_order(sim: Simulator, http: httpx.Client) -> None:
    jpeg, webp = (MEDIA / "square.jpg").read_bytes(), (MEDIA / "square.webp").read_bytes()
    form: list[tuple[str, Any]] = [
        ("prompt", (None, "zwei Kometen \u2604")),
        ("input_reference", ('the "first".jpg', jpeg, "image/jpeg")),
        ("seed", (None, "7")),
        ("input_reference", ("last.webp", webp, "image/webp")),
        ("model", (None, "veo3.1")),
    ]
    assert http.post("/videos", files=form).is_success
    request = sim.requests[-1]
    assert [part.name for part in request.parts] == [name for name, _ in form]
    assert request.fields == (("prompt", "zwei Kometen \u2604"), ("seed", "7"), ("model", "veo3.1"))
    first, last = request.files
    assert (first.file_name, first.media_type) == ('the "first".jpg', "image/jpeg")
    assert (last.file_name, last.media_type) == ("last.webp", "image/webp")
    assert (first.kind, first.size_bytes) == ("jpeg", len(jpeg))
    assert first.sha256 == hashlib.sha256(jpeg).hexdigest()
    assert last.kind == "webp"
    assert last.frame == (480, 480)
    assert first.frame is not None
    http.get("/videos/video_demo")
    assert sim.requests[-1].parts == ()


@pytest.mark.parametrize("line", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: a"])
def test_a_broken_form_is_a_refusal_and_no_trouble(http: httpx.Client, line: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert http.post("/videos", content=line, headers=headers).status_code == 400
    nameless = http.post("/videos", content=b"{}", headers={"Content-Type": "multipart/form-data"})
    assert nameless.status_code == 400


FIELD_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME_TEXT = st.text("abcxyz_[]-. \u00e9\"\\'", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAME_TEXT, FIELD_TEXT, st.none() | NAME_TEXT), max_size=5))
def test_every_form_is_read_as_it_was_sent(sent: list[tuple[str, str, str | None]]) -> None:
    files: list[tuple[str, Any]] = [(name, (file, text)) for name, text, file in sent]
    asked = httpx.Request("POST", "http://x", files=files or [("", (None, ""))])
    parts = parse_form(asked.headers["Content-Type"], asked.read())
    told = [(part.name, part.text, part.file_name) for part in parts]
    assert told == [(n, "" if f else t, f) for n, t, f in sent or [("", "", None)]]
    sizes = [part.size_bytes for part in parts if part.is_file]
    assert sizes == [len(text.encode()) for _, text, file in sent if file]


@given(st.binary(max_size=60), st.text(max_size=30))
def test_no_form_is_too_broken_to_be_noted(body: bytes, content_type: str) -> None:
    parse_form(content_type, body)
    parse_form("multipart/form-data; boundary=x", b"--x\r\n" + body)
    for kind in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF....WEBPVP8 ", b"RIFF....WEBPVP8L"):
        picture(kind + body)


# The catalogue.


def test_the_catalogue_lies_beside_v1_and_wants_no_key(sim: Simulator) -> None:
    for headers in ({}, {"Authorization": "Bearer whatever"}):
        answer = httpx.get(f"{sim.origin}/api/models", headers=headers, trust_env=False)
        told = answer.json()
        assert (told["success"], told["page"], told["page_size"]) == (True, 0, 0)
        assert told["total"] == len(told["data"])
    assert [asked.has_authorization for asked in sim.requests] == [False, True]
    with closing(client_of(sim)) as http:
        assert code_of(http.get("/api/models")) == "not_found", "it is not under /v1"


def test_the_catalogue_has_every_kind_of_price_and_models_that_make_no_video() -> None:
    assert {model["model_type"] for model in CATALOGUE} > {"video", "image"}
    videos = {model["id"]: model for model in CATALOGUE if model["model_type"] == "video"}
    assert {name for family in FAMILIES for name in family.models} < set(videos)
    assert videos["sora-2"]["pricing"]["per_second"] == 0.08
    assert videos["sora-2"]["pricing"]["currency"] == "USD / Second"
    assert videos["veo3.1"]["pricing"]["per_request"] == 0.4
    assert videos["doubao-seedance-2-0"]["pricing"]["currency"] == "USD / M Tokens"
    assert videos["viduq3"]["pricing"]["per_second"] is None
    assert videos["happyhorse-1.0"]["pricing"] is None
    assert "image-to-video" in videos["sora-2"]["features"]
    assert "image-to-video" not in videos["wan2.6"]["features"]


def test_v1_models_is_the_list_in_openais_form_and_wants_the_key(
    sim: Simulator, http: httpx.Client
) -> None:
    told = http.get("/models").json()
    assert told["object"] == "list"
    assert {"id": "sora-2", "object": "model"}.items() <= told["data"][0].items()
    assert httpx.get(f"{sim.base_url}/models", trust_env=False).status_code == 401


# No key.


@pytest.mark.simulator(api_key=None)
def test_a_simulator_without_a_key_takes_everyone_and_notes_who_sent_one(
    sim: Simulator, http: httpx.Client
) -> None:
    url = f"{sim.base_url}/videos/video_demo"
    assert httpx.get(url, trust_env=False).status_code == 200
    assert httpx.get(url, headers={"Authorization": "Bearer x"}, trust_env=False).is_success
    assert [asked.has_authorization for asked in sim.requests] == [False, True]
    assert get_job(http, "video_demo")["id"] == "video_demo"
