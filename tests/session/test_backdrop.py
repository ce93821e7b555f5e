"""What stands behind the card of a job that is on its way: small, and made on this machine."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from cometvid_nb.api.fitting import reduced
from cometvid_nb.api.images import read_image
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.cards.card import Card
from cometvid_nb.clips.posters import to_data_url
from cometvid_nb.job.job import Job
from cometvid_nb.ledger.ledger import Ledger
from cometvid_nb.session.backdrop import MOST_PX, backdrop_of
from cometvid_nb.session.session import Session
from cometvid_nb.simulator import Simulator

BASE_URL = "https://api.example/v1"
LARGE = (2000, 1000)


def picture(size: tuple[int, int] = LARGE, **options: object) -> bytes:
    """A picture with a sharp edge in its middle."""
    image, file = Image.new("RGB", size, "white"), io.BytesIO()
    image.paste("black", (0, 0, size[0] // 2, size[1]))
    image.save(file, "JPEG", quality=95, **options)
    return file.getvalue()


def opened(data_url: str | None) -> Image.Image:
    assert data_url is not None
    return Image.open(io.BytesIO(read_image(data_url).content))


def sharpness(image: Image.Image) -> int:
    """The greatest step from one point to the next."""
    edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
    return int(edges.crop((2, 2, edges.width - 2, edges.height - 2)).getextrema()[1])  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite3")


def keep(ledger: Ledger, job_id: str, prompt: str, size: tuple[int, int]) -> None:
    ref = ledger.intend(BASE_URL, model=None, seconds=None, size=None, prompt=prompt)
    ledger.accept(ref, Job.parse({"id": job_id, "status": "completed", "prompt": prompt}))
    poster = to_data_url(picture(size))
    ledger.keep_clip(BASE_URL, job_id, f"/x/{job_id}.mp4", 1, poster=poster)


def test_a_picture_is_reduced_upright_and_without_what_it_tells_of_its_origin() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # turned by 90°
    content = picture(exif=exif)
    made = reduced(content, MOST_PX)
    assert made is not None
    image = Image.open(io.BytesIO(made))
    assert image.size == (MOST_PX // 2, MOST_PX)
    assert not image.getexif()
    assert len(made) < 12_000
    small = reduced(picture((40, 20)), MOST_PX)
    assert small is not None
    assert Image.open(io.BytesIO(small)).size == (40, 20), "never enlarged"


@pytest.mark.parametrize("content", [b"", b"no picture", picture()[:500]])
def test_what_cannot_be_drawn_is_no_picture(content: bytes) -> None:
    assert reduced(content, MOST_PX) is None


def test_without_pillow_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert reduced(picture(), MOST_PX) is None


def test_the_picture_that_was_given_goes_before_an_earlier_take(ledger: Ledger) -> None:
    keep(ledger, "video_1", "A comet", (100, 100))
    new = NewJob.check("A comet", model="any", image=picture())
    image = opened(backdrop_of(new, ledger, BASE_URL))
    assert image.size == (320, 160)
    assert sharpness(image) > 200


def test_the_last_take_of_the_prompt_stands_there_blurred(ledger: Ledger) -> None:
    keep(ledger, "video_1", "A comet", (100, 100))
    keep(ledger, "video_2", "A comet", (300, 200))
    keep(ledger, "video_3", "A planet", (200, 300))
    image = opened(backdrop_of(NewJob.check("A comet", model="any"), ledger, BASE_URL))
    assert image.size == (300, 200)
    assert sharpness(image) < 60
    remix = NewJob.check("Another", remix_of="video_3")
    assert opened(backdrop_of(remix, ledger, BASE_URL)).size == (200, 300)
    assert backdrop_of(NewJob.check("A star", model="any"), ledger, BASE_URL) is None
    assert backdrop_of(NewJob.check("A comet", model="any"), ledger, "https://other/v1") is None


@pytest.mark.settings(save=False)
def test_it_is_on_the_card_of_a_job_made_here_and_tells_the_seed(
    session: Session, sim: Simulator
) -> None:
    new = NewJob.check("A comet", model="any", seed=7, image=picture())
    (job,), error = session.create([new])
    assert error is None
    watch = session.watch(job.id)
    card = Card.of_watch(watch.state, watch.picture)
    assert opened(card.picture).size == (320, 160)
    assert len(card.picture or "") < 20_000
    assert card.seed == "seed 7"
    sim.finish(job.id)
    watch.wait(15)
    assert watch.widget.card["picture"] is None
    entry = session.ledger.find(sim.base_url, job.id)
    assert entry is not None
    assert entry.to_job().seed == "7", "also after a restart"
