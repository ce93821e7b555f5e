"""`%cometvid rate`, `continue`, `lineage`, `recipe` and `--name` in a real kernel."""

from __future__ import annotations

import json
import re

import pytest

from cometvid_nb.magic.line import parse
from cometvid_nb.magic.parser import GrammarError
from tests.bench import Bench
from tests.kernel import Message


def said(bench: Bench, code: str) -> str:
    """The text of a cell that ends in a line of ours and shows no traceback."""
    result = bench.run(code)
    assert all(len(o.traceback) == 1 for o in result.outputs if o.output_type == "error")
    assert "Traceback" not in result.text
    return result.text + (result.error or "")


def done(bench: Bench, **script: object) -> str:
    """A job whose clip is saved."""
    job_id = bench.add_job(**({"queue_s": 0, "run_s": 0, "ending": "completed"} | script))
    assert bench.run(f"%cometvid watch {job_id} --wait").error is None
    return job_id


def test_several_takes_are_rated_and_listed(fresh: Bench) -> None:
    one, two = done(fresh, prompt="A comet"), done(fresh, prompt="A moon")
    told = said(
        fresh, f"%cometvid rate {one} {two} --stars 4 --pick --tag comet --note 'It\"s good'"
    )
    assert told.count('★★★★☆ · picked · #comet · “It"s good”') == 2
    assert said(fresh, f"%cometvid rate {two} --reject").count("rejected") == 1
    listed = said(fresh, "%cometvid jobs --picked --min-stars 3 --tag COMET")
    assert one in listed
    assert two not in listed
    assert "★★★★☆ · picked" in listed
    assert two in said(fresh, "%cometvid jobs --rejected")
    assert "No job matches" in said(fresh, "%cometvid jobs --tag other")
    rows = said(fresh, "print([(r['flag'], r['tags']) for r in __import__('cometvid_nb').jobs()])")
    assert rows.strip() == "[('rejected', 'comet'), ('picked', 'comet')]"
    assert "no rating" in said(fresh, f"%cometvid rate {one} --clear")
    assert "say what you think" in said(fresh, f"%cometvid rate {one}")
    assert "from 0 to 5" in said(fresh, f"%cometvid rate {one} --stars 7")
    told = said(fresh, f"%cometvid rate {one} --stars 3 --reject\n%cometvid rate {one} --unpick")
    assert told.splitlines()[-1] == f"{one}: ★★★☆☆."
    refused = said(fresh, f"%cometvid rate {one} {two[:-1]} --stars 1")
    assert f"knows no job {two[:-1]}, so nothing was rated. Did you mean {two}?" in refused
    assert len(said(fresh, "%cometvid jobs").split(one)) == 3, "its row and its clip, as before"
    assert two[:-1] not in said(fresh, "%cometvid jobs").split()


def test_a_clip_continues_another_and_stands_in_its_lineage(fresh: Bench) -> None:
    pytest.importorskip("av")
    first = done(fresh, prompt="A comet", model="sora-2", size="1280x720")
    dry = said(fresh, f"%cometvid continue {first} 'It lands' --dry-run")
    assert re.search(r"input_reference +\S+-last-frame\.png \(image/png, 1280x720", dry)
    line = f"%cometvid continue {first} 'It lands' --no-watch"
    made = said(fresh, line)
    [second] = re.findall(r"Created (\S+)\.", made)
    posts = [request for request in fresh.simulator.requests if request.method == "POST"]
    assert [(part.kind, part.frame) for part in posts[-1].files] == [("png", (1280, 720))]
    tree = said(fresh, f"%cometvid lineage {second}")
    assert tree.splitlines()[0].startswith(first)
    assert f"+- continued {second}" in tree
    assert "Nothing is remembered" in said(fresh, "%cometvid lineage video_nobody")
    for line in (f"continue 'It lands' {first}", f"remix lands {first}"):
        swapped = said(fresh, f"%cometvid {line}")
        assert (
            f"The id comes first, then the prompt: %cometvid {line.split()[0]} {first}" in swapped
        )
    assert "The id comes first" in said(fresh, f"%cometvid continue lands '{{{first}}}'")
    refused = said(fresh, f"%cometvid continue {first} 'It lands' --model wan2.6")
    assert "wan2.6 takes no picture" in refused
    assert len([r for r in fresh.simulator.requests if r.method == "POST"]) == len(posts)


def test_picked_takes_become_a_reel_that_stands_in_their_lineage(fresh: Bench) -> None:
    pytest.importorskip("av")
    takes = [done(fresh, prompt=f"Take {n}", clip="sound") for n in range(3)]
    said(fresh, f"%cometvid rate {takes[0]} {takes[2]} --pick")
    assert "2 clips" in said(fresh, "%cometvid reel --picked")
    tree = said(fresh, f"%cometvid lineage {takes[2]}")
    assert f"(2 clips, with {takes[2]})" in tree or f"(2 clips, with {takes[0]})" in tree
    said(fresh, f"%cometvid rate {takes[0]} --clear")
    assert "and 1 is picked: pick with" in said(fresh, "%cometvid reel --picked")


def test_a_recipe_is_printed_from_a_file_and_from_an_id(fresh: Bench) -> None:
    made = said(
        fresh, "%cometvid create 'A \"comet\" {x}' --model m-1 --seconds 4 --no-watch --no-save"
    )
    [job_id] = re.findall(r"Created (\S+)\.", made)
    line = "%cometvid create 'A \"comet\" {x}' --model m-1 --seconds 4"
    assert said(fresh, f"%cometvid recipe {job_id}").strip() == line
    fresh.simulator.finish(job_id)
    assert fresh.run(f"%cometvid watch {job_id} --wait --name 'x-{{model}}'").error is None
    [recipe] = fresh.kernel.cwd.rglob("x-m-1.json")
    assert json.loads(recipe.read_text())["job_id"] == job_id
    assert said(fresh, f"%cometvid recipe {recipe}").strip() == line
    assert said(fresh, f"%cometvid recipe {recipe.with_suffix('.mp4')}").strip() == line
    assert "There is no recipe" in said(fresh, "%cometvid recipe nothing.json")


def test_what_is_called_at_the_end_prints_under_the_cell_that_asked(fresh: Bench) -> None:
    job_id = fresh.add_job()
    fresh.run(f"w = %cometvid watch {job_id}\nimport time")
    asked = fresh.kernel.client.execute(
        "w.on_done(lambda w: (print('told', w.job.status), display(7)))"
    )
    fresh.kernel.wait_for(
        lambda m: m["msg_type"] == "status" and m["parent_header"].get("msg_id") == asked
    )
    fresh.run("print('another cell')")
    fresh.simulator.finish(job_id)

    def is_told(message: Message) -> bool:
        return message["msg_type"] == "stream" and "told" in message["content"]["text"]

    def is_shown(message: Message) -> bool:
        data = message["content"].get("data", {})
        return bool(message["msg_type"] == "display_data" and data.get("text/plain") == "7")

    assert fresh.kernel.wait_for(is_told)["parent_header"]["msg_id"] == asked
    assert fresh.kernel.wait_for(is_shown)["parent_header"]["msg_id"] == asked


NAMES = {"model": "M", "date": "D", "x": "video_1", "prompt": "P"}


@pytest.mark.parametrize(
    "line",
    [
        'watch {x} --name "{date}-{model}" --no-save',
        "watch {x} --name={date}-{model}",
        "save {x} --name '{date}-{model}'",
        'create "{x}" --name "{date}-{model}"',
        'continue {x} "now" --name {date}-{model}',
    ],
)
def test_the_fields_of_a_template_are_not_variables(line: str) -> None:
    _, arguments = parse(line, None, NAMES)
    assert arguments.name == "{date}-{model}"
    assert "video_1" in [getattr(arguments, "id", None), *getattr(arguments, "ids", [])] or (
        arguments.prompts == ["{x}"]
    )


def test_the_setting_of_names_is_given_on_a_line() -> None:
    _, arguments = parse("config name_template={date}-{prompt:40} save_dir={x}", None, NAMES)
    assert arguments.changes == ["name_template={date}-{prompt:40}", "save_dir=video_1"]


def test_a_take_is_picked_or_rejected_and_not_both() -> None:
    with pytest.raises(GrammarError, match="not allowed with"):
        parse("rate video_1 --pick --reject")
