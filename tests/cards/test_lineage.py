"""What came of what is a tree, whatever a ledger says: circles, gaps, chains, hostile words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.cards.lineage import Kin, lineage, lineage_rows, lineage_text
from cometvid_nb.cards.lineage_html import lineage_to_bundle
from cometvid_nb.ledger.entry import Entry
from cometvid_nb.ledger.relations import Reel

PICTURE = "data:image/png;base64,AA"


def entry(job_id: str, began_at_s: float = 0.0, **told: Any) -> Entry:
    empty: dict[str, Any] = dict.fromkeys(field.name for field in fields(Entry))
    known = {"ref": job_id, "job_id": job_id, "base_url": "b", "state": "completed"}
    return Entry(**(empty | known | {"began_at_s": began_at_s} | told))


FAMILY = {
    "a": entry("a", 1, prompt="A comet", model="sora-2", stars=4, flag="picked"),
    "b": entry("b", 2, remixed_from="a", prompt="Now in blue"),
    "c": entry("c", 3, continued_from="a", prompt="It lands", state="in_progress"),
    "d": entry("d", 4, continued_from="c"),
    "e": entry("e", 5, continued_from="lost"),
}


def shape(*roots: Any) -> list[tuple[int, str, str]]:
    return [(depth, node.kin.value, node.name) for depth, node in lineage_rows(roots)]


def test_the_tree_shows_what_came_of_what() -> None:
    roots = lineage("c", FAMILY, [Reel("/v/cut.mp4", ("b", "d"))])
    assert shape(*roots) == [
        (0, "unknown", "lost"),
        (1, "continued", "e"),
        (0, "created", "a"),
        (1, "remix", "b"),
        (2, "reel", "/v/cut.mp4"),
        (1, "continued", "c"),
        (2, "continued", "d"),
    ]
    assert lineage_text(roots) == (
        "lost (not remembered here)\n"
        "+- continued e\n"
        "a (sora-2 · ★★★★☆ · picked)\n"
        "   A comet\n"
        "+- remix b\n"
        "   Now in blue\n"
        "   +- reel /v/cut.mp4 (2 clips, with d)\n"
        "+- continued c (in progress) <- asked for\n"
        "   It lands\n"
        "   +- continued d"
    )


def test_jobs_that_name_one_another_in_a_circle_stand_once() -> None:
    circle = {
        "a": entry("a", 1, continued_from="c"),
        "b": entry("b", 2, continued_from="a"),
        "c": entry("c", 3, continued_from="b"),
        "self": entry("self", 4, remixed_from="self"),
    }
    names = [node.name for _, node in lineage_rows(lineage("b", circle))]
    assert names == ["a", "b", "c", "self"]


def test_a_chain_may_be_long_and_goes_straight_down() -> None:
    chain = {"0": entry("0", 0)}
    chain |= {str(n): entry(str(n), n, continued_from=str(n - 1)) for n in range(1, 3000)}
    rows = lineage_rows(lineage("0", chain))
    assert len(rows) == 3000
    assert max(depth for depth, _ in rows) == 1


def test_the_html_holds_the_posters_and_no_word_as_markup() -> None:
    hostile = '<script>alert(1)</script>"\x1b[31m\u202e `$x$`'
    entries = {
        hostile: entry(hostile, prompt=hostile, model=hostile, note=hostile),
        "b": entry("b", 1, remixed_from=hostile),
    }
    roots = lineage("b", entries, [Reel(hostile, ("b",))], {hostile: PICTURE})
    bundle = lineage_to_bundle(roots)
    assert f'<img src="{PICTURE}"' in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "var(" not in bundle["text/html"], "a sanitizer drops such a style"
    for text in bundle.values():
        assert "\x1b" not in text
        assert "\u202e" not in text


IDS = st.sampled_from("abcdef")


@given(st.dictionaries(IDS, st.tuples(st.none() | IDS, st.none() | IDS)), IDS)
def test_whatever_is_remembered_each_job_stands_once(
    parents: dict[str, tuple[str | None, str | None]], asked: str
) -> None:
    entries = {
        one: entry(one, place, remixed_from=remixed, continued_from=continued)
        for place, (one, (remixed, continued)) in enumerate(parents.items())
    }
    rows = lineage_rows(lineage(asked, entries))
    known = [node.name for _, node in rows if node.kin != Kin.UNKNOWN]
    assert sorted(known) == sorted(entries)
    assert lineage_to_bundle(lineage(asked, entries))
