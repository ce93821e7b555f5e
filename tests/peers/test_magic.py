"""`%cometvid` in a real kernel, in front of a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import LOAD
from tests.kernel import Kernel, Result

from .peer import Peer

ASKED = '"A glowing comet" --seconds 4 --size 1280x720'


@pytest.fixture
def peer_kernel(home: Path, peer: Peer) -> Iterator[Kernel]:
    """A kernel with the magic loaded, whose environment names the peer."""
    kernel = Kernel(home)
    try:
        kernel.start(**peer.environ())
        kernel.run(LOAD)
        kernel.run("%cometvid config interval_s=0.2")
        yield kernel
    finally:
        kernel.stop()


def run(kernel: Kernel, code: str) -> Result:
    """Run a cell that succeeds and prints no traceback."""
    result = kernel.run(code)
    assert result.error is None, result.text
    assert "Traceback" not in result.text
    return result


def clips(kernel: Kernel) -> list[Path]:
    return sorted((kernel.cwd / "videos").glob("*.mp4"))


def only_id(kernel: Kernel) -> str:
    run(kernel, "import cometvid_nb")
    return run(kernel, "print(cometvid_nb.jobs()[0]['job_id'])").text.strip()


def test_a_notebook_creates_a_job_and_holds_its_clip(peer_kernel: Kernel, peer: Peer) -> None:
    run(peer_kernel, f"%cometvid create {ASKED} --model {peer.model} --wait")
    [clip] = clips(peer_kernel)
    assert clip.read_bytes() == peer.clip


def test_the_id_that_jobs_shows_can_be_used_in_every_command(
    peer_kernel: Kernel, peer: Peer
) -> None:
    run(peer_kernel, f"%cometvid create {ASKED} --model {peer.model} --wait")
    job_id = only_id(peer_kernel)
    run(peer_kernel, f"%cometvid status {job_id}")
    run(peer_kernel, f"%cometvid watch {job_id}")
    run(peer_kernel, f"%cometvid save {job_id} copies/")
    [copy] = (peer_kernel.cwd / "copies").iterdir()
    assert copy.read_bytes() == peer.clip
    run(peer_kernel, f"%cometvid forget {job_id}")
    assert run(peer_kernel, "print(len(cometvid_nb.jobs()))").text.strip() == "0"


def test_four_prompts_share_a_gallery_that_shows_them_all(peer_kernel: Kernel, peer: Peer) -> None:
    prompts = ["A red comet", "A green comet", "A blue comet", "A white comet"]
    quoted = " ".join(f'"{prompt}"' for prompt in prompts)
    run(peer_kernel, f"%cometvid create {quoted} --model {peer.model} --wait")
    assert len(clips(peer_kernel)) == 4
    # The record that replaces the widget may come after the cell.
    record = peer_kernel.wait_for(lambda m: m["msg_type"] == "update_display_data")
    html = record["content"]["data"]["text/html"]
    assert [prompt for prompt in prompts if prompt not in html] == []


def test_a_failed_job_is_told_without_a_traceback(peer_kernel: Kernel, peer: Peer) -> None:
    line = f'%cometvid create "Fail, please" --model {peer.model} --wait'
    result = peer_kernel.run(line)
    told = result.text + (result.error or "")
    assert "Traceback" not in told
    assert peer.failure in re.sub(r"\s+", " ", told)
