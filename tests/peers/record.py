"""Writes down what each peer answers: `python -m tests.peers.record`.

The ordinary tests read what it writes (`tests/job/peer_answers.json`), so that no peer is needed to
keep what peers taught. A case is one answer and what a reader must make of it:

    peer, version, step   who answered, and to what
    request               method and path, `{id}` for the job's id
    status_code, headers, body
    body_bytes            in place of the body, where it is a clip
    must                  what a reader gets:
        kind      "job", "refusal", "not found", "bad key", "quota", "rate limited", "trouble",
                  "not yet", "clip", "no picture" or "models"
        id, status, progress_percent, size, prompt, model     of a job; null: not in the answer
        link      of a job: "content" where the clip is only at `/videos/{id}/content`
        outputs   of a job: how many clips it made, where that is not one
        error     what a person reads of the reason; null: nothing went wrong
        field     the field of the request that a person reads of, too
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from cometvid_nb.simulator import Fault, Simulator

from .gpu import REFUSAL
from .peer import ENVIRONMENT, PEERS, Peer

TARGET = Path(__file__).parents[1] / "job" / "peer_answers.json"
KEPT_HEADERS = ("content-type", "content-disposition", "content-range", "etag", "retry-after")
DISTRIBUTIONS = {"LiteLLM": "litellm", "SGLang": "sglang", "vLLM-Omni": "vllm_omni"}
COMET = {"prompt": "A glowing comet", "seconds": "4", "size": "1280x720"}


class Recorder:
    """Asks one peer for everything, and keeps the answers as cases."""

    def __init__(self, peer: Peer, folder: Path) -> None:
        self.cases: list[dict[str, Any]] = []
        self._peer = peer
        self._folder = str(folder)
        self._http = httpx.Client(trust_env=False, timeout=60.0)

    def ask(
        self,
        step: str | None,
        must: dict[str, Any],
        method: str,
        path: str,
        *,
        job_id: str = "",
        key: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a request; under a `step` the answer becomes a case."""
        key = self._peer.key if key is None else key
        response = self._http.request(
            method,
            self._peer.base_url + path.replace("{id}", quote(job_id, safe="")),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            **options,
        )
        if step is not None:
            self.keep(step, must, f"{method} {path}", response)
        return response

    def create(self, step: str | None, must: dict[str, Any], **fields: str) -> httpx.Response:
        form = {"model": self._peer.model, **COMET, **fields}
        files = {name: (None, text) for name, text in form.items() if text}
        return self.ask(step, must, "POST", "/videos", files=files)

    def keep(self, step: str, must: dict[str, Any], request: str, response: httpx.Response) -> None:
        kept = {k: response.headers[k] for k in KEPT_HEADERS if k in response.headers}
        case: dict[str, Any] = {"peer": self._peer.name, "version": _version(self._peer.name)}
        case |= {"step": step, "request": request, "status_code": response.status_code}
        case["headers"] = kept
        if "json" in kept.get("content-type", ""):
            # The folder where the peer ran is no part of its answer.
            case["body"] = json.loads(response.text.replace(self._folder, "/srv"))
            if must["kind"] == "job":
                must = {**_facts(case["body"]), **must}
        elif "video" in kept.get("content-type", ""):
            case["body_bytes"] = len(response.content)
        else:
            case["body"] = response.text
        self.cases.append({**case, "must": must})


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    """What a job's answer says in the documented places."""
    names = ("id", "status", "size", "prompt", "model")
    return {**{n: body.get(n) for n in names}, "progress_percent": body["progress"], "error": None}


def _version(peer: str) -> str:
    [found] = ENVIRONMENT.glob(f"lib/*/site-packages/{DISTRIBUTIONS[peer]}-*.dist-info")
    return found.name.removesuffix(".dist-info").rpartition("-")[2]


def _life(record: Recorder, peer: Peer) -> Iterator[str]:
    """A job from its creation to its clip; yields its id."""
    job = {"kind": "job"}
    done = {"kind": "job", "link": "content"}
    created = record.create("create", job)
    job_id = str(created.json()["id"])
    seen: set[str] = set()
    while "completed" not in seen:
        answer = record.ask(None, {}, "GET", "/videos/{id}", job_id=job_id)
        status = answer.json()["status"]
        if status not in seen:
            seen.add(status)
            must = done if status == "completed" else job
            record.keep(f"poll, {status}", must, "GET /videos/{id}", answer)
        if "early" not in seen and status != "completed":
            seen.add("early")
            not_yet = {
                "LiteLLM": f"Video is not ready: its status is {status}.",
                "SGLang": "Generation is still in-progress",
                "vLLM-Omni": "Generation is still in-progress",
            }
            must = {"kind": "not yet", "error": not_yet[peer.name]}
            record.ask("content too early", must, "GET", "/videos/{id}/content", job_id=job_id)
        time.sleep(0.05)
    clip = {"kind": "clip"}
    record.ask("content", clip, "GET", "/videos/{id}/content", job_id=job_id)
    no_picture = {"kind": "no picture"}
    path = "/videos/{id}/content?variant=thumbnail"
    record.ask("thumbnail", no_picture, "GET", path, job_id=job_id)
    yield job_id


def _ending_badly(record: Recorder, step: str, prompt: str, error: str) -> None:
    job_id = str(record.create(None, {}, prompt=prompt).json()["id"])
    while True:
        answer = record.ask(None, {}, "GET", "/videos/{id}", job_id=job_id)
        if answer.json()["status"] == "failed":
            break
        time.sleep(0.05)
    record.keep(f"poll, {step}", {"kind": "job", "error": error}, "GET /videos/{id}", answer)
    record.ask(
        f"content, {step}", {"kind": "refusal"}, "GET", "/videos/{id}/content", job_id=job_id
    )


def _several(record: Recorder, count: int) -> None:
    """A job that makes several clips, as SGLang takes the wish."""
    job_id = str(record.create(None, {}, n=str(count)).json()["id"])
    while record.ask(None, {}, "GET", "/videos/{id}", job_id=job_id).json()["progress"] < 100:
        time.sleep(0.05)
    must = {"kind": "job", "link": "content", "outputs": count}
    record.ask("poll, completed with several", must, "GET", "/videos/{id}", job_id=job_id)
    path = "/videos/{id}/content?variant=1"
    record.ask("content of the second", {"kind": "clip"}, "GET", path, job_id=job_id)


def _through_a_gateway(record: Recorder, upstream: Simulator) -> None:
    """What the gateway makes of errors from behind it."""
    kinds = {429: "rate limited", 403: "quota", 503: "trouble", 500: "trouble"}
    for status, kind in kinds.items():
        upstream.add_fault(Fault("POST /videos", status=status, times=None))
        answer = record.create(None, {})
        upstream.clear_faults()
        must = {"kind": kind, "error": _words_inside(answer)}
        record.keep(f"create, {status} upstream", must, "POST /videos", answer)


def _words_inside(answer: httpx.Response) -> str:
    """The upstream's own words, in the JSON that LiteLLM puts into its message."""
    message: str = answer.json()["error"]["message"]
    start = message.index("{")
    inner, _end = json.JSONDecoder().raw_decode(message[start:])
    return str(inner["error"]["message"])


def record_peer(peer: Peer, folder: Path) -> list[dict[str, Any]]:
    """All cases of one peer."""
    record = Recorder(peer, folder)
    for job_id in _life(record, peer):
        remix: dict[str, Any] = {"kind": "job"} if peer.has_remix else {"kind": "refusal"}
        remix |= {} if peer.has_remix else {"error": "Not Found"}
        body = {"prompt": "The same in blue"}
        record.ask("remix", remix, "POST", "/videos/{id}/remix", job_id=job_id, json=body)
    _ending_badly(record, "failed", "Fail, please", peer.failure)
    if peer.name == "vLLM-Omni":
        _ending_badly(record, "refused", "Refuse, please", REFUSAL)
    if peer.name == "SGLang":
        _several(record, 2)
    says = _REFUSALS[peer.name]
    unknown = {"kind": "not found", "error": says["unknown"]}
    record.ask("unknown id", unknown, "GET", "/videos/{id}", job_id=peer.unknown_id)
    path = "/videos/{id}/content"
    record.ask("unknown id, content", unknown, "GET", path, job_id=peer.unknown_id)
    if peer.has_key:
        for step, key in (("wrong key", "sk-wrong"), ("no key", "")):
            kind = "refusal" if says[step] == "No connected db." else "bad key"
            must = {"kind": kind, "error": says[step]}
            record.ask(step, must, "GET", "/videos/{id}", job_id=peer.unknown_id, key=key)
    for step, field in (("no prompt", "prompt"), ("bad seconds", "seconds"), ("bad size", "size")):
        wrong = {"prompt": "", "seconds": "soon", "size": "huge"}[field]
        must = {"kind": "refusal", "error": says[step]}
        must |= {"field": field} if peer.name != "LiteLLM" else {}
        record.create(step, must, **{field: wrong})
    if "wrong model" in says:
        must = {"kind": "refusal", "error": says["wrong model"]}
        record.create("wrong model", must, model="no-such-model")
    if peer.upstream is not None:
        _through_a_gateway(record, peer.upstream)
    must = {"kind": "refusal", "error": "Not Found"}
    record.ask("wrong path", must, "GET", "/video/{id}", job_id="video_1")
    record.ask("models", {"kind": "models"}, "GET", "/models")
    return record.cases


# Words that a person must be able to read, or a part of them.
_REFUSALS = {
    "LiteLLM": {
        "unknown": "task_not_exist: video_nobody_knows",
        "wrong key": "No connected db.",
        "no key": "Authentication Error, No api key passed in.",
        "no prompt": "/videos: Missing required parameter: 'prompt'.",
        "bad seconds": "seconds must be a number, not 'soon'",
        "bad size": "size must be WIDTHxHEIGHT, not 'huge'",
        "wrong model": "Invalid model name passed in model=no-such-model",
    },
    "SGLang": {
        "unknown": "Video not found",
        "no prompt": "prompt is required",
        "bad seconds": "Input should be a valid integer",
        "bad size": "size must be formatted as positive WIDTHxHEIGHT",
    },
    "vLLM-Omni": {
        "unknown": "Video not found",
        "wrong key": "Unauthorized",
        "no key": "Unauthorized",
        "no prompt": "Field required",
        "bad seconds": "String should match pattern",
        "bad size": "String should match pattern",
        "wrong model": "Model mismatch: request specifies 'no-such-model'",
    },
}


def main() -> None:
    """Run every peer once and write the file."""
    cases: list[dict[str, Any]] = []
    for start in PEERS.values():
        with tempfile.TemporaryDirectory() as name, start(Path(name)) as peer:
            cases += record_peer(peer, Path(name))
    TARGET.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
