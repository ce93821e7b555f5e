"""A gallery's rows are of equal length where that can be, and jobs of one prompt are numbered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.cards.grid import grid_of
from cometvid_nb.cards.takes import Takes

WIDE, TALL = 16 / 9, 9 / 16


@pytest.mark.parametrize(
    ("total", "ratio", "share"),
    [
        (2, WIDE, "50%"),
        (3, WIDE, "33.3333%"),
        (4, WIDE, "50%"),
        (6, WIDE, "33.3333%"),
        (4, TALL, "25%"),
        (5, TALL, "20%"),
        (6, 1.0, "16.6667%"),
    ],
)
def test_a_tile_takes_its_share_of_a_row(total: int, ratio: float, share: str) -> None:
    assert f"calc({share} - 12px)" in grid_of(total, [ratio]).columns


def test_most_of_the_known_shapes_decide_and_a_ribbon_stays_a_picture() -> None:
    assert grid_of(9, [TALL, WIDE, TALL]).ratio == TALL
    assert grid_of(9, []).ratio == WIDE
    assert grid_of(9, [4.0]).ratio == WIDE
    assert grid_of(9, [0.25]).ratio == TALL


def test_a_hair_of_difference_is_no_other_shape() -> None:
    assert grid_of(9, [TALL, 1280 / 720, 854 / 480, 1.0, TALL, 1278 / 720]).ratio > 1.7


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", " a ", "", None]))))
def test_takes_count_the_jobs_of_a_prompt_in_the_order_they_came(
    seen: list[tuple[int, str | None]],
) -> None:
    takes, latest = Takes(), {}
    for number, prompt in seen:
        takes.see(f"video_{number}", prompt)
        latest[f"video_{number}"] = prompt.strip() if prompt else None
    for job_id, prompt in latest.items():
        alike = [one for one, other in latest.items() if other == prompt]
        expected = alike.index(job_id) + 1 if prompt and len(alike) > 1 else None
        assert takes.number(job_id) == expected
