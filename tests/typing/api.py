"""The public API from the user's side. Never run: mypy --strict reads it, and so proves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from PIL import Image

import cometvid_nb
from cometvid_nb import (
    Client,
    CometVidError,
    GalleryWidget,
    GaveUp,
    Job,
    JobFailed,
    JobStatus,
    JobWidget,
    NewJob,
    Watch,
)
from cometvid_nb.job.rating import Rating
from cometvid_nb.watching.watch_list import WatchList


def in_a_script() -> None:
    """What a person writes who prefers Python to the magic."""
    watch = cometvid_nb.watch("video_abc123")
    assert_type(watch, Watch)
    assert_type(watch.job_id, str)
    assert_type(watch.job, Job | None)
    assert_type(watch.wait(), Job)
    assert_type(watch.wait(timeout=60), Job)
    assert_type(watch.result(), Job)
    watch.stop()

    cometvid_nb.demo(speed=10, trouble="busy")
    cometvid_nb.demo(stop=True)

    cometvid_nb.watch("video_abc123", wait=False, timeout_s=60, interval_s=5.0, save=False)
    assert_type(cometvid_nb.watch(watch, save_to="clips/", embed=True), Watch)
    assert_type(cometvid_nb.watch([watch, "video_2"], gallery=True), WatchList)
    assert_type(cometvid_nb.watch({"video_1", "video_2"}), WatchList)


def after_the_take(watch: Watch, takes: WatchList) -> None:
    """What a person thinks of a clip, and what comes of it."""
    assert_type(watch.rating, Rating)
    assert_type(watch.rate(stars=4, flag="picked", tags=["comet"], note=None), Rating)
    assert_type(takes.picked(), WatchList)
    watch.on_done(lambda one: one.rate(stars=5))
    assert_type(cometvid_nb.create("It lands", continue_from=watch, name="{id}"), Watch)
    watch.rate(4)  # type: ignore[call-arg]  # values go by name


def what_costs_money(picture: Path) -> None:
    """A new job is watched; what is remembered goes into pandas as it is."""
    watch = cometvid_nb.create("A comet", model="any/name", seconds=4, size="1280x720")
    assert_type(watch, Watch)
    assert_type(cometvid_nb.create("A comet", image=picture, wait=False, save=True), Watch)
    cometvid_nb.create("A comet", ratio="9:16", seed=7, extra={"camera": "pan"}, force=True)
    cometvid_nb.create("A comet", first_frame=picture, last_frame=b"...", fit="crop")
    looked_at = cometvid_nb.create("A comet", image=[picture, "b.png"], dry_run=True)
    assert_type(str(looked_at), str)
    looked_at.stop()  # type: ignore[attr-defined]  # nothing was sent, so nothing is watched
    assert_type(cometvid_nb.remix(watch.job_id, "At night", wait=True), Watch)
    assert_type(cometvid_nb.remix(watch, "At night", timeout_s=600, save_to="x.mp4"), Watch)
    cometvid_nb.create("A comet", timeout_s=600, interval_s=5, embed=True, gallery=True)
    assert_type(cometvid_nb.jobs(), list[dict[str, Any]])
    assert_type(NewJob.check("A comet", seconds="4"), NewJob)


def what_a_clip_shows(job: Job) -> None:
    """Frames are arrays, and the last one a picture."""
    assert_type(job.last_frame(), Image.Image)
    assert_type(job.frames(every_s=0.5), np.ndarray[Any, Any])
    job.frames(at_s=[0, 1.5, "last"])
    job.frames(count=12)
    for time_s, frame in job.iter_frames():
        assert_type(time_s, float)
        assert_type(frame, np.ndarray[Any, Any])


async def in_a_notebook() -> None:
    """`await` works on a watch, and on everything the client does."""
    assert_type(await cometvid_nb.watch("video_abc123"), Job)
    async with Client() as client:
        assert_type(client, Client)
        job = await client.retrieve("video_abc123")
        assert_type(await client.create(NewJob.check("A comet")), Job)
    assert_type(job, Job)


def what_a_job_tells(job: Job) -> None:
    """None stands for: the answer did not say."""
    assert_type(job.status, JobStatus)
    assert_type(job.status_word, str)
    assert_type(job.progress_percent, float | None)
    assert_type(job.width, int | None)
    assert_type(job.size, str | None)
    assert_type(job.created_at_s, float | None)
    assert_type(job.video_url, str | None)
    assert_type(job.is_final, bool)
    assert_type(Job.parse({"id": "video_abc123"}), Job)
    if job.status is JobStatus.COMPLETED:
        assert job.is_final

    job.id = "another"  # type: ignore[misc]  # a job is frozen


def what_can_be_caught(watch: Watch) -> None:
    """The endings tell what was last seen; every error tells what to do."""
    try:
        watch.wait()
    except (JobFailed, GaveUp) as error:
        assert_type(error.job, Job | None)
    except CometVidError as error:
        assert_type(error.advice, str | None)


def in_a_layout() -> None:
    """A widget is a widget."""
    JobWidget("video_abc123").close()
    GalleryWidget(["video_abc123", cometvid_nb.watch("video_def456")]).close()


def what_is_refused() -> None:
    """Mistakes that the type checker finds before the kernel does."""
    cometvid_nb.create("A comet", "sora-2")  # type: ignore[call-overload]  # what costs is named
    cometvid_nb.watch()  # type: ignore[call-overload]  # no id
    cometvid_nb.watch("a", timeout=5)  # type: ignore[call-overload]  # names carry their unit
    cometvid_nb.watch("a", True)  # type: ignore[call-overload]  # options go by name
    cometvid_nb.no_such_name  # type: ignore[attr-defined]  # noqa: B018
