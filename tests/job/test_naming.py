"""A clip is named by a template, and whatever the job says, its name is safe on every system."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.job.job import Job
from cometvid_nb.job.naming import FIELDS, MOST_NAME_BYTES, TAKE, check_template, clip_stem

COMET = Job(
    "video_1",
    model="wan2.6",
    prompt="A comet: over hills!",
    seed="7",
    width=1280,
    height=720,
    duration_s=5.0,
    created_at_s=1_780_000_000.0,
)


def named(template: str, job: Job = COMET) -> str:
    return clip_stem(check_template(template), job, "video_1", 1_790_000_000.0)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{model}-{prompt:7}-{take}", f"wan2.6-A-comet-{TAKE}"),
        ("{prompt}", "A-comet-over-hills"),
        ("{id} {size} {seconds} {seed}", "video_1-1280x720-5s-7"),
        ("take one.mp4", "take-one"),
        ("{{x}}-{seed}", "x-7"),
        ("-{seed}.", "7"),
        ("con", "clip-con"),
        ("com{take}", f"clip-com{TAKE}"),
        ("nul.{seed}", "clip-nul.7"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert named(template) == expected


def test_the_moment_is_that_of_the_job_in_local_time() -> None:
    assert re.fullmatch(r"2026-05-2\d_\d\d-\d\d-\d\d", named("{date}_{time}"))
    assert named("{date}", Job("a")).startswith("2026-09-2")
    assert named("{date}", Job("a", created_at_s=1e14)).startswith("2026-09-2")


def test_what_is_not_known_leaves_no_gap() -> None:
    assert named("{model}-{seed}-{prompt}-x", Job("a")) == "x"
    assert named("{model}", Job("a")) == ""


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{name}", "no field {name}. Fields: {date}, {time}, {model}, {prompt}, {id}, {take}"),
        ("{prompt!r}", "no field {prompt}"),
        ("{prompt.x}", "no field {prompt.x}"),
        ("{0}", "no field {0}"),
        ("{}", "no field {}"),
        ("{prompt:x}", "the most characters"),
        ("{prompt:999}", "the most characters"),
        ("{take:3}", "the most characters"),
        ("{prompt:{id}}", "the most characters"),
        ("{prompt", "a brace without its partner"),
        ("../{id}", "a folder is named by save_dir"),
        ("a\\b", "a folder is named by save_dir"),
        ("a:b", "no file name may have"),
        ("x" * 201, "more than 200"),
    ],
)
def test_a_template_that_cannot_be_is_refused_with_what_could(template: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        check_template(template)


TEXT = st.text(max_size=120) | st.sampled_from(
    [
        "../../etc/passwd",
        "CON",
        "nul.txt",
        "\u202egnp.exe",
        "🎬" * 50,
        "e\u0301" * 80,
        "  ..  ",
        "a\0b",
    ]
)
PIECE = st.sampled_from([f"{{{name}}}" for name in FIELDS] + ["{prompt:40}", "-", ".", " ", "x"])


@given(st.lists(PIECE, max_size=6), TEXT, TEXT, st.none() | st.text(max_size=5))
def test_whatever_a_job_says_its_name_is_safe(
    pieces: list[str], prompt: str, model: str, seed: str | None
) -> None:
    job = Job("x", prompt=prompt, model=model, seed=seed, created_at_s=1e9)
    stem = named("".join(pieces), job)
    name = stem.replace(TAKE, "1")
    assert len(name.encode()) <= MOST_NAME_BYTES
    assert name == unicodedata.normalize("NFC", name)
    assert not re.search(r"[^\w.\-]", "".join(c for c in name if not unicodedata.combining(c)))
    assert not any(unicodedata.category(c)[0] in "CZS" for c in name)
    assert not name.startswith((".", "-"))
    assert not name.endswith((".", " "))
    assert not PureWindowsPath(name).is_reserved()
    assert PureWindowsPath(name or "x").name == (name or "x")
