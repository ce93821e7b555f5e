"""A short storm; `python -m benchmarks.soak` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak import soak


@pytest.mark.timeout(240)
def test_in_a_storm_of_every_fault_each_job_ends_as_it_truly_did(tmp_path: Path) -> None:
    figures = soak(jobs=25, seed=7, within_s=200, folder=tmp_path, share=0.15, worker_is="killed")
    assert figures.is_flawless, str(figures)
    assert figures.faults > 10
    assert figures.worker == "killed"
    assert figures.grown_bytes < 20_000_000
