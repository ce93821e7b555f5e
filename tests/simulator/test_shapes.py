"""Every shape of a real server's answer has a name, a job that answers so, and a way to choose it.

That a reader understands them is its own tests' business; here they must be what their names say.
"""

from __future__ import annotations

import base64
import json
from contextlib import closing
from typing import Any
from urllib.parse import unquote, urljoin

import httpx
import pytest

from cometvid_nb.simulator import Simulator
from cometvid_nb.simulator.dialects import DIALECTS, NAMES, OVER_HTTP
from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.shapes.created import CREATED, NO_ID
from cometvid_nb.simulator.shapes.figures import FRAMES, TIMES
from cometvid_nb.simulator.shapes.links import PLACES, SEVERAL, other_output
from cometvid_nb.simulator.shapes.over_http import ENDED, PENDING
from cometvid_nb.simulator.shapes.reasons import REASONS
from tests.simulator.asking import Clock, client_of, get_job

REASON = "The sky was too cloudy."


def ended(name: str, clock: Clock) -> dict[str, Any]:
    gateway = Gateway(clock=clock)
    job_id = f"video_dialect_{name}"
    if name in REASONS:
        gateway.fail(job_id, REASON)
    else:
        gateway.finish(job_id)
    return gateway.retrieve(job_id)


def leaves(value: Any) -> list[Any]:
    """All values in a JSON value that hold no others."""
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return [value]
    return [leaf for part in inner for leaf in leaves(part)]


@pytest.mark.parametrize("name", PLACES)
def test_a_link_stands_in_its_place_and_in_no_other(name: str, clock: Clock) -> None:
    answer = ended(name, clock)
    found: Any = answer
    for step in PLACES[name]:
        found = found[step]
    assert "/clips/" in found
    assert [leaf for leaf in leaves(answer) if "/clips/" in str(leaf)] == [found]


@pytest.mark.parametrize("name", SEVERAL)
def test_several_outputs_are_clips_that_differ(name: str) -> None:
    with Simulator(speed=100) as sim, closing(client_of(sim)) as http:
        job_id = f"video_dialect_{name}"
        sim.finish(job_id)
        told = [leaf for leaf in leaves(get_job(http, job_id)) if "/clips/" in str(leaf)]
        first, second = dict.fromkeys(told)
        assert second == other_output(first)
        clips = [httpx.get(url, trust_env=False).content for url in (first, second)]
        assert clips == [sim.clip_bytes(job_id), sim.clip_bytes(job_id, output=2)]
        assert clips[0] != clips[1]


@pytest.mark.parametrize("name", ["relative_link", "relative_to_scheme"])
def test_a_relative_link_leads_to_the_clip(name: str, sim: Simulator, http: httpx.Client) -> None:
    job_id = f"video_dialect_{name}"
    sim.finish(job_id)
    link = get_job(http, job_id)["video_url"]
    assert link.startswith("/")
    url = urljoin(f"{sim.base_url}/videos/{job_id}", link)
    assert httpx.get(url, trust_env=False).content == sim.clip_bytes(job_id)


@pytest.mark.parametrize(("name", "at_least_bytes"), [("data_url", 0), ("data_url_7_mb", 7e6)])
def test_a_data_url_holds_a_whole_clip(name: str, at_least_bytes: float, clock: Clock) -> None:
    kind, _, text = ended(name, clock)["video_url"].partition(",")
    clip = base64.b64decode(text)
    assert kind == "data:video/mp4;base64"
    assert clip.startswith(Gateway().clip_bytes("video_demo"))
    assert len(clip) >= at_least_bytes


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_is_somewhere_in_the_answer(name: str, clock: Clock) -> None:
    answer = ended(name, clock)
    assert any(REASON in str(leaf) for leaf in leaves(answer))
    assert answer["status"] == "failed"
    assert name == "flat_error" or answer.get("error") != REASON


@pytest.mark.parametrize("name", [*TIMES, *FRAMES])
def test_figures_differ_from_the_documented_ones(name: str, clock: Clock) -> None:
    gateway = Gateway(clock=clock)
    gateway.finish("video_portrait")
    plain, told = gateway.retrieve("video_portrait"), ended(name, clock)
    changed = "size" if name in FRAMES else "created_at"
    assert told.get(changed) != plain[changed]
    assert name in TIMES or "1280x720" not in map(str, leaves(told)), "it is a portrait"


def test_figures_are_written_as_their_names_say(clock: Clock) -> None:
    assert ended("times_ms", clock)["created_at"] == 1_781_079_478_000
    assert ended("times_iso", clock)["created_at"] == "2026-06-10T08:17:58Z"
    assert ended("frame_16x9", clock)["size"] == "9x16"
    assert ended("frame_720p", clock)["size"] == "720P"
    assert ended("frame_ratio", clock)["ratio"] == "9:16"
    wide = ended("frame_width_height", clock)
    assert (wide["width"], wide["height"]) == (720, 1280)
    veo = ended("veo", clock)
    assert (veo["model"], veo["seconds"], veo["size"]) == ("veo_3_1-4K", "", "9x16")


@pytest.mark.parametrize("name", PENDING)
def test_pending_is_an_answer_without_a_job_until_the_end(
    name: str, sim: Simulator, http: httpx.Client
) -> None:
    job_id = f"video_dialect_{name}"
    answer = http.get(f"/videos/{job_id}")
    assert answer.status_code == (204 if "204" in name else 202)
    assert job_id not in answer.text
    sim.finish(job_id)
    assert get_job(http, job_id)["status"] == "completed"


@pytest.mark.parametrize("name", ENDED)
def test_a_failed_job_comes_whole_under_an_http_error(
    name: str, sim: Simulator, http: httpx.Client
) -> None:
    job_id = f"video_dialect_{name}"
    assert get_job(http, job_id)["status"] == "queued"
    sim.fail(job_id, REASON)
    answer = http.get(f"/videos/{job_id}")
    assert answer.status_code == int(name.rpartition("_")[2].replace("detail", "500"))
    job = answer.json().get("detail", answer.json())
    assert (job["id"], job["status"], job["error"]["message"]) == (job_id, "failed", REASON)


@pytest.mark.parametrize("name", CREATED)
def test_the_answer_to_a_create_names_the_id_in_its_place_alone(name: str) -> None:
    known = set(Gateway().jobs)
    with Simulator(dialect=name) as sim, closing(client_of(sim)) as http:
        answer = http.post("/videos", files={"prompt": (None, "a comet")})
        [job_id] = set(sim.jobs) - known
        told = answer.text + " ".join(answer.headers.values())
        assert (job_id in unquote(told)) is (name not in NO_ID)
        assert answer.is_success
        assert get_job(http, job_id)["id"] == job_id, "later answers are plain"
        if name == "created_location":
            assert answer.content == b""
            assert answer.headers["Location"] == f"/v1/videos/{job_id}"
        if name == "created_location_whole":
            assert answer.headers["Location"] == f"{sim.base_url}/videos/{job_id}"


def test_every_dialect_can_be_chosen_for_created_jobs(http: httpx.Client) -> None:
    def create(name: str) -> httpx.Response:
        form = {"prompt": (None, "a comet"), "model": (None, f"dialect-{name}")}
        return http.post("/videos", files=form)

    assert [name for name in NAMES if not create(name).is_success] == []
    refused = create("klingon")
    assert (refused.status_code, "link_video_url" in refused.text) == (400, True)
    with pytest.raises(ValueError, match="no dialect 'klingon'"):
        Gateway(dialect="klingon")


def test_a_created_job_goes_on_in_its_dialect(clock: Clock) -> None:
    gateway = Gateway(clock=clock, dialect="reason_failure")
    job_id = gateway.create({"prompt": "a comet"}, None)["id"]
    clock.now_s += 10_000
    assert gateway.retrieve(job_id)["failure"] == "The video could not be generated."


def test_no_shape_is_broken_by_a_size_of_any_wording(clock: Clock) -> None:
    for size in ("16:9", "9x16", "720p", "1280*720"):
        gateway = Gateway(clock=clock)
        for name in NAMES:
            form = {"prompt": "p", "size": size, "model": f"dialect-{name}"}
            job = gateway.create(form, None)
            gateway.creation_answer(job)
            gateway.finish(job["id"])
            answer = gateway.retrieval_answer(job["id"])
            assert len(json.dumps(answer.json)) > 2


def test_a_new_simulator_has_a_job_of_each_shape() -> None:
    jobs = set(Gateway().jobs)
    assert {f"video_dialect_{name}" for name in (*DIALECTS, *OVER_HTTP)} - jobs == {
        "video_dialect_plain"
    }
