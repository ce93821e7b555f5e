"""Clip: where each clip of a job can be had, as a card shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..api.data_urls import is_data_url
from ..clips.format import IMAGES, suffix_of
from ..clips.places import SavedClip
from ..job.job import Job


@dataclass(frozen=True, slots=True)
class Clip:
    """Where the clip can be had: a link that expires, and the place it was saved to."""

    url: str | None
    path: str | None
    saved_to: str | None
    expires_at_s: float | None
    poster: str | None = None
    """A small picture as a data URL, for pages that cannot play the clip."""
    served: str | None = None
    """Its path from the root of the page's server, where that is known."""
    data_url: str | None = None
    """The whole clip, where it is embedded: in a record, or on a card that has no kernel to ask."""
    is_image: bool = False
    """Whether it is a GIF or the like, which no player plays."""
    codec: str | None = None
    """The name of its codec, where most browsers do not play it."""
    number: int = 0
    """Its place among the clips that the job made."""
    others: tuple[Clip, ...] = ()
    """The further clips of the job."""
    place: str | None = None
    """Where it lies, as the kernel names it, for whoever works on with it there."""

    @property
    def every(self) -> tuple[Clip, ...]:
        """All clips of the job."""
        return (self, *self.others)


def clip_of(job: Job | None, saved: SavedClip | None, poster: str | None = None) -> Clip:
    """The first clip of a job that can be had, with the others, in the order of the answer."""
    known = {one.number: one for one in saved.every} if saved is not None else {}
    links = (job.video_url, *job.other_video_urls) if job is not None else (None,)
    clips = [
        _one_clip(number, links[number] if number < len(links) else None, known.get(number))
        for number in range(max(len(links), *(number + 1 for number in known), 1))
    ]
    first, *others = [clip for clip in clips if clip.saved_to] + [
        clip for clip in clips if not clip.saved_to
    ]
    if saved is not None and saved.also:
        first = replace(first, saved_to=" and ".join([saved.saved_to, *saved.also]))
    if saved is None and job is not None and job.saved_path is not None:
        is_beside = not re.match(r"[/\\]|[A-Za-z]:|[A-Za-z][\w+.-]+://", job.saved_path)
        path = job.saved_path if is_beside else None
        first = replace(_one_clip(0, first.url, None, path), saved_to=job.saved_path)
    return replace(
        first,
        expires_at_s=job.expires_at_s if job else None,
        poster=saved.poster if saved else poster,
        others=tuple(sorted(others, key=lambda clip: clip.number)),
    )


def _one_clip(
    number: int, link: str | None, saved: SavedClip | None, path: str | None = None
) -> Clip:
    # A clip that stands in the answer itself has no link: its megabytes stay in the kernel.
    url = None if is_data_url(link) else link
    path = saved.path if saved is not None else path
    source = (saved.file_path if saved is not None else path) or urlsplit(url or "").path
    return Clip(
        url=url,
        path=path,
        served=saved.served if saved is not None else None,
        saved_to=saved.saved_to if saved is not None else None,
        expires_at_s=None,
        is_image=suffix_of(source) in IMAGES,
        codec=saved.codec if saved is not None else None,
        number=number,
        place=saved.saved_to if saved is not None else None,
    )
