"""Ids of every shape lead through every route, in one segment of the path."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import quote

import httpx
import pytest

from cometvid_nb.simulator import Simulator
from cometvid_nb.simulator.gateway import Gateway
from cometvid_nb.simulator.ids import ID_SHAPES
from tests.simulator.asking import client_of


def created(http: httpx.Client, model: str = "sora-2") -> str:
    form = {"prompt": (None, "a comet"), "model": (None, model)}
    job_id = http.post("/videos", files=form).json()["id"]
    assert isinstance(job_id, str)
    return job_id


@pytest.mark.parametrize("name", ID_SHAPES)
def test_an_id_works_from_its_creation_to_its_deletion(name: str) -> None:
    with (
        Simulator(ids=name, separate_clip_host=True) as sim,
        closing(client_of(sim)) as http,
    ):
        job_id = created(http)
        assert created(http) != job_id
        place = f"/videos/{quote(job_id, safe='')}"
        assert http.get(place).json()["id"] == job_id
        assert http.get(f"{place}/content").status_code == 400
        sim.finish(job_id)
        url = http.get(place).json()["video_url"]
        assert httpx.get(url, trust_env=False).content == sim.clip_bytes(job_id)
        assert http.get(f"{place}/content").content == sim.clip_bytes(job_id)
        sim.revoke_link(job_id)
        assert httpx.get(url, trust_env=False).status_code == 403
        remix = http.post(f"{place}/remix", json={"prompt": "with two tails"}).json()
        assert remix["remixed_from_video_id"] == job_id
        assert sim.count("GET /videos/{id}") == 2
        assert http.delete(place).json()["deleted"]
        assert http.get(place).status_code == 400
        assert http.get("/models").is_success


def test_the_ids_are_what_they_are_called(http: httpx.Client) -> None:
    made = {name: created(http, f"ids-{name}") for name in ID_SHAPES}
    assert (len(made["litellm"]), len(made["litellm_long"])) == (234, 406)
    assert made["slashes"].startswith("models/veo-3.1/operations/")
    assert made["dash"].startswith("-")
    assert made["padded"].endswith("==")
    assert {"'", '"', "`"} <= set(made["quotes"])
    assert len(set(made.values())) == len(ID_SHAPES)
    with pytest.raises(ValueError, match="no ids 'roman'"):
        Gateway(ids="roman")
    refused = http.post("/videos", files={"prompt": (None, "p"), "model": (None, "ids-roman")})
    assert (refused.status_code, "litellm" in refused.text) == (400, True)
