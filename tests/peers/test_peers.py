"""What a person does with a job works with servers that we did not write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cometvid_nb.api.client import Client
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import ApiError, BadKey, JobFailed, JobNotFound
from cometvid_nb.job.job import Job
from cometvid_nb.job.status import JobStatus
from cometvid_nb.session.session import Session
from cometvid_nb.settings import Secret, Settings
from cometvid_nb.watching.watch_list import WatchList

from .peer import Peer

WITHIN_S = 45.0
PROMPT = "A glowing comet over the sea"
OpenSession = Callable[..., Session]


def new(peer: Peer, prompt: str = PROMPT, **options: Any) -> NewJob:
    values: dict[str, Any] = {"model": peer.model, "seconds": "4", "size": "1280x720"}
    return NewJob.check(prompt, **(values | options))


def create(session: Session, *jobs: NewJob) -> list[Job]:
    created, error = session.create(jobs)
    if error is not None:
        raise error
    return created


def saved_file(session: Session, job_id: str) -> Path:
    """The one file of a job's clip, as its watch names it."""
    [watch] = [watch for watch in session.watches if watch.job_id == job_id]
    assert watch.state.saved is not None
    assert watch.state.saved.path is not None
    return Path(watch.state.saved.path)


def test_a_created_job_is_watched_and_its_clip_is_saved(session: Session, peer: Peer) -> None:
    [job] = create(session, new(peer))
    assert job.status is JobStatus.QUEUED
    done = session.watch(job.id).wait(WITHIN_S)
    assert (done.id, done.status) == (job.id, JobStatus.COMPLETED)
    assert saved_file(session, job.id).read_bytes() == peer.clip


def test_what_was_asked_for_is_still_known_at_the_end(session: Session, peer: Peer) -> None:
    [job] = create(session, new(peer))
    assert (job.prompt, job.model, job.duration_s) == (PROMPT, peer.model, 4.0)
    done = session.watch(job.id).wait(WITHIN_S)
    assert (done.prompt, done.model, done.duration_s) == (PROMPT, peer.model, 4.0)
    assert done.size == "1280x720"


def test_a_clip_is_saved_once_more_where_a_person_says(
    session: Session, peer: Peer, tmp_path: Path
) -> None:
    [job] = create(session, new(peer))
    session.watch(job.id, save=False).wait(WITHIN_S)
    session.save(job.id, str(tmp_path / "kept" / "comet.mp4"))
    assert (tmp_path / "kept" / "comet.mp4").read_bytes() == peer.clip


def test_a_new_session_resumes_what_the_last_one_had_begun(
    open_session: OpenSession, peer: Peer
) -> None:
    first = open_session()
    [job] = create(first, new(peer))
    first.close()
    second = open_session()
    [watch] = second.resume()
    assert watch.wait(WITHIN_S).id == job.id
    assert saved_file(second, job.id).read_bytes() == peer.clip
    assert second.resume() == []


def test_a_finished_job_is_remixed_or_the_refusal_is_told(session: Session, peer: Peer) -> None:
    [job] = create(session, new(peer))
    session.watch(job.id).wait(WITHIN_S)
    remix = NewJob.check("The same in blue", remix_of=job.id)
    if not peer.has_remix:
        with pytest.raises(ApiError, match="404"):
            create(session, remix)
        return
    [remixed] = create(session, remix)
    assert remixed.id != job.id
    assert session.watch(remixed.id).wait(WITHIN_S).status is JobStatus.COMPLETED
    assert saved_file(session, remixed.id).read_bytes() == peer.clip


def test_an_unknown_id_ends_the_watch(session: Session, peer: Peer) -> None:
    with pytest.raises(JobNotFound):
        session.poll(peer.unknown_id)
    with pytest.raises(JobNotFound):
        session.watch(peer.unknown_id).wait(WITHIN_S)


def test_a_failing_job_ends_with_the_reason_and_stays_ended(
    open_session: OpenSession, peer: Peer
) -> None:
    session = open_session()
    [job] = create(session, new(peer, "Fail, please"))
    with pytest.raises(JobFailed) as failed:
        session.watch(job.id).wait(WITHIN_S)
    assert peer.failure in str(failed.value)
    assert session.poll(job.id).status is JobStatus.FAILED
    assert open_session().resume() == []


def test_a_job_refused_while_it_runs_ends_with_the_reason(session: Session, peer: Peer) -> None:
    if peer.name != "vLLM-Omni":
        pytest.skip("only vLLM-Omni answers a client's error after the creation")
    [job] = create(session, new(peer, "Refuse, please"))
    with pytest.raises(JobFailed, match="the prompt was blocked"):
        session.watch(job.id).wait(WITHIN_S)


def test_a_wrong_key_is_told_and_not_repeated(open_session: OpenSession, peer: Peer) -> None:
    session = open_session(api_key=Secret("sk-wrong-0123456789"))
    if not peer.has_key:
        assert create(session, new(peer))[0].status is JobStatus.QUEUED
        return
    with pytest.raises(ApiError) as refused:
        create(session, new(peer))
    # LiteLLM looks a key that is not its master's up in a database, and has none here.
    says = {"LiteLLM": "No connected db", "vLLM-Omni": "Unauthorized"}
    assert says[peer.name] in str(refused.value)
    assert "0123456789" not in str(refused.value)


def test_without_a_key_a_server_that_has_none_works_and_another_says_so(
    open_session: OpenSession, peer: Peer
) -> None:
    session = open_session(api_key=None)
    if peer.has_key:
        with pytest.raises(BadKey):
            create(session, new(peer))
        return
    [job] = create(session, new(peer))
    session.watch(job.id).wait(WITHIN_S)
    assert saved_file(session, job.id).read_bytes() == peer.clip


def test_what_the_server_refuses_to_make_is_told_in_its_words(session: Session, peer: Peer) -> None:
    says = {
        "LiteLLM": "Invalid model name passed in model=no-such-model",
        "vLLM-Omni": "Model mismatch",
    }
    if peer.name not in says:
        pytest.skip("SGLang takes any name of a model")
    with pytest.raises(ApiError, match=says[peer.name]):
        create(session, new(peer, model="no-such-model"))


def test_a_gallery_of_six_is_made_and_saved(session: Session, peer: Peer) -> None:
    prompts = [f"Comet number {number}" for number in range(1, 7)]
    jobs = create(session, *(new(peer, prompt) for prompt in prompts))
    done = WatchList(session.watch(job.id) for job in jobs).wait(WITHIN_S)
    assert [job.status for job in done] == [JobStatus.COMPLETED] * 6
    assert [job.prompt for job in done] == prompts
    files = {saved_file(session, job.id) for job in done}
    assert len(files) == 6
    assert all(file.read_bytes() == peer.clip for file in files)


async def test_a_thumbnail_is_a_picture_or_nothing(
    session: Session, settings: Settings, peer: Peer
) -> None:
    [job] = create(session, new(peer))
    await session.watch(job.id, save=False)
    async with Client(settings) as client:
        picture = await client.thumbnail(job.id, 150_000)
    assert picture is None or b"ftyp" not in picture[:32], "the whole clip came once more"
