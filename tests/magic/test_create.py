"""`%cometvid create`, `remix`, `jobs`, `resume` and `save` in real kernels."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from cometvid_nb.display.embedding import MOST_EMBEDDED_BYTES
from cometvid_nb.simulator import SCENARIOS, Fault, Simulator
from tests.bench import LOAD, WIDGET, Bench, open_bench
from tests.forms import Arrived, FormServer, open_form_server
from tests.kernel import Kernel
from tests.simulated import KEY

CREATE = "POST /videos"


@pytest.fixture
def untouched(_module_bench: Bench) -> Bench:
    """The bench as the last test left it, for lines that are to change nothing."""
    _module_bench.simulator.requests.clear()
    return _module_bench


@dataclass
class Forms(Bench):
    """The bench in front of a server that keeps the forms it gets as they came."""

    server: FormServer = field(default_factory=lambda: FormServer(""))

    @property
    def created(self) -> list[Arrived]:
        """The requests for new jobs."""
        return [arrived for arrived in self.server.arrived if arrived.method == "POST"]


@pytest.fixture
def forms(fresh: Bench) -> Iterator[Forms]:
    with open_form_server() as server:
        fresh.run(f"%cometvid config base_url={server.base_url}")
        yield Forms(fresh.kernel, fresh.simulator, server=server)
        fresh.run("%cometvid stop --all")


def said(bench: Bench, code: str) -> str:
    """The text of a cell that ends in a line of ours and shows no traceback."""
    result = bench.run(code)
    assert all(len(o.traceback) == 1 for o in result.outputs if o.output_type == "error")
    assert "Traceback" not in result.text
    return result.text + (result.error or "")


def made(simulator: Simulator) -> list[str]:
    """The ids of the jobs that were asked for, the oldest first."""
    given = {scenario.job_id for scenario in SCENARIOS}
    return [i for i in simulator.jobs if i not in given and not i.endswith("_of_ours")]


def prompts(bench: Bench) -> list[str]:
    """The prompts in the ledger, the oldest first."""
    bench.run("import cometvid_nb")
    text = bench.run("[job['prompt'] for job in cometvid_nb.jobs()][::-1]").text
    found: list[str] = eval(text)
    return found


# Creating.


def test_create_asks_once_watches_at_once_and_brings_the_clip(fresh: Bench) -> None:
    before = len(made(fresh.simulator))
    result = fresh.run('%cometvid create "A glowing comet" --seconds 8 --size 720x1280 --model m/1')
    assert result.error is None
    assert sum(WIDGET in output.get("data", {}) for output in result.outputs) == 1
    assert fresh.simulator.count(CREATE) == 1
    [job_id] = made(fresh.simulator)[before:]
    card = fresh.wait_for_card(job_id)
    assert card["prompt"] in (None, "A glowing comet")
    fresh.simulator.finish(job_id)
    record = fresh.wait_for_record(job_id)
    assert "A glowing comet" in record["text/html"]
    for fact in ("m/1", "360×640", "8 s"):  # the size is its file's
        assert fact in record["text/plain"]
    [clip] = fresh.kernel.cwd.rglob(f"{job_id}.mp4")
    assert clip.read_bytes() == fresh.simulator.clip_bytes(job_id)


def test_a_cell_is_the_prompt_with_its_braces_dollars_and_lines_kept(fresh: Bench) -> None:
    fresh.run("mood = 'calm'")
    body = 'A {mood} sea, $mood, {{x}} "quoted" it\'s\n  --seconds 4 \\n second line'
    assert said(fresh, f"%%cometvid create --model sora-2 --no-watch\n{body}\n").startswith(
        "Created video_"
    )
    assert prompts(fresh) == [body]


def test_expand_fills_in_what_is_known_and_only_then(fresh: Bench) -> None:
    fresh.run("mood = 'calm'")
    said(fresh, '%cometvid create --model sora-2 "A {mood} $mood sea" --no-watch')
    said(fresh, '%cometvid create --model sora-2 "A {mood} $mood sea" --no-watch --expand')
    said(
        fresh,
        "%%cometvid create --model sora-2 --no-watch --expand\nA {mood.upper()} sea of {nothing}",
    )
    kept, filled, unknown = prompts(fresh)
    assert (kept, filled) == ("A {mood} $mood sea", "A calm calm sea")
    assert unknown == "A {mood.upper()} sea of {nothing}", "what cannot be filled in stays"


def test_several_takes_and_several_prompts_are_a_job_each(fresh: Bench) -> None:
    before = len(made(fresh.simulator))
    result = fresh.run('takes = %cometvid create --model sora-2 "A red comet" "A blue comet" -n 2')
    assert result.error is None
    ids = made(fresh.simulator)[before:]
    assert fresh.simulator.count(CREATE) == len(ids) == 4
    assert prompts(fresh) == ["A red comet"] * 2 + ["A blue comet"] * 2
    assert fresh.run("print([take.job_id for take in takes], len(takes))").text == f"{ids} 4\n"
    assert "<Watch" in fresh.run("print(takes[0])").text
    fresh.run("takes.stop()")


def test_the_value_of_create_is_a_watch_that_can_be_waited_for(fresh: Bench) -> None:
    fresh.run('watch = %cometvid create --model sora-2 "A glowing comet"')
    job_id = made(fresh.simulator)[-1]
    assert fresh.run("type(watch).__name__, watch.job_id").text == f"('Watch', '{job_id}')\n"
    fresh.simulator.finish(job_id)
    assert fresh.run("watch.wait().prompt").text == "'A glowing comet'\n"
    assert fresh.run("(await watch).id").text == f"{job_id!r}\n"


def test_one_of_several_still_comes_in_a_list(fresh: Bench) -> None:
    fresh.simulator.add_fault(Fault(CREATE, after=1, times=None, status=403))
    text = str(
        fresh.run('takes = %cometvid create --model sora-2 "A red comet" "A blue comet" -n 2').error
    )
    assert "user quota is not enough" in text
    assert "1 of 4 jobs were created: video_" in text
    assert fresh.simulator.count(CREATE) == 2
    assert fresh.wait_for_card(made(fresh.simulator)[-1]), "what was made is watched"


def test_no_watch_only_tells_the_id_and_its_value_is_the_job(fresh: Bench) -> None:
    text = said(fresh, 'job = %cometvid create --model sora-2 "A glowing comet" --no-watch')
    job_id = made(fresh.simulator)[-1]
    assert text == f"Created {job_id}. Watch it: %cometvid watch {job_id}\n"
    assert fresh.run("job.id, job.prompt").text == f"('{job_id}', 'A glowing comet')\n"
    assert fresh.simulator.count("GET /videos/{id}") == 0


def test_wait_keeps_the_cell_until_the_clip_is_there(fresh: Bench) -> None:
    asking = fresh.kernel.begin(
        '%cometvid create --model sora-2 "A glowing comet" --wait\nprint("done")'
    )
    assert fresh.simulator.wait_for_requests("GET /videos/{id}")
    fresh.simulator.finish(made(fresh.simulator)[-1])
    result = fresh.kernel.wait_idle(asking)
    assert result.text.endswith("done\n")
    assert list(fresh.kernel.cwd.rglob(f"{made(fresh.simulator)[-1]}.mp4"))


def save_picture(path: Path, width: int = 1280, height: int = 720) -> Path:
    Image.new("RGB", (width, height), "navy").save(path)
    return path


def test_pictures_go_along_in_their_order(forms: Forms) -> None:
    a, b = (save_picture(forms.kernel.cwd / name) for name in ("a comet.png", "b.png"))
    said(forms, 'name = "a comet.png"\n%cometvid create "x" --model veo3.1 --image {name} -n 2')
    said(forms, '%cometvid create "x" --model veo3.1 --image b.png --image "a comet.png"')
    said(forms, '%cometvid create "x" --model veo3.1 --first-frame b.png --last-frame ./b.png')
    names = [[file.file_name for file in arrived.files] for arrived in forms.created]
    assert names == [["a comet.png"], ["a comet.png"], ["b.png", "a comet.png"], ["b.png", "b.png"]]
    first = forms.created[0].files[0]
    assert first == ("input_reference", "a comet.png", "image/png", a.read_bytes())
    assert forms.created[2].files[0].content == b.read_bytes()
    assert "['b.png, b.png', 'b.png, a comet.png'" in said(
        forms, "import cometvid_nb\n[job['image'] for job in cometvid_nb.jobs()]"
    )


def test_every_option_arrives_in_the_field_of_its_family(forms: Forms) -> None:
    said(
        forms,
        "camera = 'pan'\n"
        '%cometvid create "A {camera}" --model omni-fast --ratio 9:16 --resolution 720P --seed 7 '
        '--negative "no text, no {camera}" --set camera={camera} --set style=a=b --set empty=',
    )
    assert forms.created[-1].fields == [
        ("prompt", "A {camera}"),
        ("model", "omni-fast"),
        ("aspect_ratio", "9:16"),
        ("resolution", "720p"),
        ("seed", "7"),
        ("negative_prompt", "no text, no {camera}"),
        ("camera", "pan"),
        ("style", "a=b"),
        ("empty", ""),
    ]


def test_what_was_done_to_a_picture_is_said_before_it_is_sent(forms: Forms) -> None:
    save_picture(forms.kernel.cwd / "wide.png", 400, 100)
    text = said(forms, 'job = %cometvid create "x" --model sora-2 --image wide.png --no-watch')
    told, done, created = text.splitlines()
    assert told == "The size is 1280x720, because the picture must have the size of the clip."
    assert done == "wide.png: was 400x100, cropped to 1280x720."
    assert created.startswith("Created video_")
    assert forms.created[-1].fields[-1] == ("size", "1280x720")


def test_what_is_forced_is_sent_as_it_is(forms: Forms) -> None:
    said(forms, '%cometvid create "x" --model sora-2 --seconds 3 --size 16:9 --force --no-watch')
    assert forms.created[-1].fields[2:] == [("seconds", "3"), ("size", "16:9")]


def test_a_dry_run_shows_the_request_and_sends_and_remembers_nothing(forms: Forms) -> None:
    save_picture(forms.kernel.cwd / "a.png")
    size_bytes = (forms.kernel.cwd / "a.png").stat().st_size
    options = "--model veo3.1 --size 16:9 --image a.png --set camera=pan --dry-run"
    text = said(forms, f'look = %cometvid create "A comet" {options} -n 3')
    assert (
        text
        == f"""Nothing was sent. This would be:
3 times POST {forms.server.base_url}/videos with a multipart form
  prompt           A comet
  model            veo3.1
  size             16x9
  camera           pan
  input_reference  a.png (image/png, 1280x720, {size_bytes:,} bytes)
Cost of 3 jobs: not known yet; %cometvid models fetches the prices
"""
    )
    assert said(forms, "print(look)") == text
    assert said(forms, "look") == text
    remixed = said(forms, '%cometvid remix video_1 "At night" --dry-run')
    assert f"POST {forms.server.base_url}/videos/video_1/remix with JSON" in remixed
    assert forms.server.arrived == []
    assert said(forms, "%cometvid jobs").startswith("No job is remembered.")


# Which model.


def test_without_a_model_nothing_is_sent_until_one_was_used(fresh: Bench) -> None:
    for line in ('%cometvid create "A comet"', '%cometvid create "A comet" --dry-run'):
        text = said(fresh, line)
        assert text.startswith("UsageError: No model is named, and none was used here before")
        assert "--model NAME" in text
        assert "%cometvid models" in text
    assert list(fresh.simulator.requests) == []
    said(fresh, '%cometvid create "A comet" --model m/1 --no-watch')
    fresh.simulator.add_fault(Fault(CREATE, status=400))
    assert "The API answered 400" in said(fresh, '%cometvid create "A comet" --model wrong')
    told, created = said(fresh, 'job = %cometvid create "A comet" --no-watch').splitlines()
    assert told == "Using the model m/1, as last time. To choose another: --model NAME."
    assert created.startswith("Created video_")
    models = said(fresh, "import cometvid_nb\n[job['model'] for job in cometvid_nb.jobs()]")
    assert models == "['m/1', 'wrong', 'm/1']\n"


def test_in_a_simulation_no_model_need_be_named(fresh: Bench) -> None:
    said(fresh, "%cometvid demo")
    text = said(fresh, '%cometvid create "A comet" --size 960x960 --seconds 5 --no-watch')
    assert text.startswith("Created video_"), "nothing is said of a choice that costs nothing"
    assert "no clip of 5 s" in said(fresh, '%cometvid create "A" --model sora-2 --seconds 5')
    assert "sora-2" in said(fresh, "%cometvid jobs")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("create", "there is no prompt"),
        ('create ""', "the prompt is empty"),
        ('create "   "', "the prompt is empty"),
        ("create A glowing comet", 'put the prompt in quotes: "A glowing comet"'),
        ('create "A glowing comet" over mountains', "put the prompt in quotes"),
        ('create "A glowing comet', "a quotation mark is missing"),
        ('create "A comet" --seconds long', "seconds is 'long': give a length"),
        ('create "A comet" --seconds 0', "seconds is '0'"),
        ('create "A comet" --size 0x0', "size is '0x0': give WIDTHxHEIGHT"),
        ('create "A comet" --model sora-2 --size 16:9', "for 16:9 give size 1280x720."),
        ('create "A comet" --model sora-2 --ratio 9:16', "for 9:16 give size 720x1280."),
        ('create "A comet" --model doubao-seedance-2-0 --seconds 3', "seconds may be 4 to 15."),
        ('create "A comet" --model wan2.6 --image a.png', "wan2.6 takes no picture."),
        ('create "A comet" --model veo3.1 --size 1280x720', "To send it anyway: --force"),
        ('create "A comet" --set camera', "--set 'camera' sets nothing: write --set KEY=VALUE"),
        ('create "A comet" --set =pan', "--set '=pan' sets nothing"),
        ('create "A comet" --set model=x', "model is not for --set: use --model"),
        ('create "A comet" --set a=1 --set a=2', "--set gives a twice"),
        ('create "A comet" --seed 4 --set seed=5', "seed is given twice"),
        ('create "A comet" --seed x', "seed is 'x': give a whole number"),
        ('create "A comet" --fit zoom --image x', "fit is 'zoom': give crop, pad or none"),
        ('create "A comet" --fit crop', "there is no picture to fit"),
        ('create "A comet" --last-frame a.png', "a last frame needs a first frame"),
        ('create "A comet" --image a.png --first-frame b.png', "their order is unclear"),
        ('create "A comet" --resolutio 720p', "Did you mean --resolution?"),
        ('create "A comet" -n 0', "-n is '0': give a whole number from 1 to 50"),
        ('create "A comet" -n 51', "-n is '51'"),
        ('create "A comet" -n two', "-n is 'two'"),
        ('create "A comet" --image nowhere.png', "nowhere.png cannot be read: No such file"),
        ('create "A comet" --image {nothing}', "No such file or directory. Undefined variable?"),
        ('create "A comet" --image .', "is not a file: --image takes one picture"),
        ('create "A comet" --image ~no-such-user/x.png', "cannot be read"),
        ('create "A comet" --save ~no-such-user/x --no-watch', "no-such-user"),
        ('create "A comet" --secnds 4', "Did you mean --seconds?"),
        ('create "A comet" --model', "--model: expected one argument"),
        ("remix", "required: ID"),
        ("remix video_demo", "there is no prompt"),
        ('remix ../x "At night"', "it looks like a path"),
        ('remix {nothing} "At night"', "undefined variable?"),
        ("save", "required: ID"),
        ("save ../x", "it looks like a path"),
        ("save video_demo ~no-such-user/x", "no-such-user"),
        ("jobs --limit many", "--limit is 'many'"),
        ("jobs --limit 0", "--limit is '0'"),
        ("jobs video_1", "unrecognized arguments: video_1"),
    ],
)
def test_a_mistake_is_answered_in_words_and_nothing_is_sent(
    untouched: Bench, line: str, expected: str
) -> None:
    text = said(untouched, f"%cometvid {line}")
    assert text.startswith("UsageError: ")
    assert expected in text
    assert list(untouched.simulator.requests) == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('%%cometvid create "A comet"\nAnother', "so the line must have none"),
        ("%%cometvid create\n\n  \n", "the prompt is empty"),
        ("%%cometvid jobs\nA comet", "jobs takes no %% cell"),
        ("%%cometvid watch video_demo\nA comet", "watch takes no %% cell"),
        ("%%cometvid remix\nAt night", "required: ID"),
    ],
)
def test_a_cell_where_none_belongs_is_refused(untouched: Bench, cell: str, expected: str) -> None:
    text = said(untouched, cell)
    assert text.startswith("UsageError: ")
    assert expected in text
    assert list(untouched.simulator.requests) == []


def test_a_lost_answer_is_told_plainly_and_nothing_is_sent_again(fresh: Bench) -> None:
    fresh.simulator.add_fault(Fault(CREATE, status=502, body="<html>bad gateway</html>"))
    text = str(fresh.run('%cometvid create --model sora-2 "A glowing comet"').error)
    assert text.startswith("OutcomeUnknown: The answer to the new job was lost.")
    assert "502 with an HTML page" in text
    assert "The request was not sent again. Check your account before you repeat it" in text
    assert "may be paid for" in text
    assert fresh.simulator.count(CREATE) == 1
    assert "unknown outcome" in said(fresh, "%cometvid jobs")
    resumed = said(fresh, "%cometvid resume")
    assert "The outcome of this request is unknown: 'A glowing comet'" in resumed
    forget = resumed.partition(", then: ")[2].splitlines()[0]
    assert said(fresh, forget).startswith("Forgot ")
    assert "outcome of this request" not in said(fresh, "%cometvid resume")
    assert "UsageError: no job" in said(fresh, forget)
    assert fresh.simulator.count(CREATE) == 1


def test_what_ends_the_creating_is_told_at_once_and_no_failing_watch_hides_it(
    fresh: Bench,
) -> None:
    known = set(fresh.simulator.jobs)
    fresh.simulator.add_fault(Fault(CREATE, after=1, status=403))
    # As in a headless run, where a watch would wait by itself.
    cell = fresh.kernel.begin('%cometvid create --model sora-2 "A comet" -n 2', allow_stdin=False)
    assert fresh.simulator.wait_for_requests(CREATE, 2)
    [made_id] = set(fresh.simulator.jobs) - known
    fresh.simulator.fail(made_id, "Blocked.")
    error = str(fresh.kernel.wait_idle(cell).error)
    assert error.startswith("QuotaExceeded: The API answered 403")
    assert "1 of 2 jobs were created" in error
    assert made_id in error
    assert "Blocked" not in error


def test_a_refusal_is_told_in_the_words_of_the_api(fresh: Bench) -> None:
    body = {"error": {"message": "No model 'x'.", "code": "model_not_found"}}
    fresh.simulator.add_fault(Fault(CREATE, status=400, body=body))
    text = str(fresh.run('%cometvid create "A glowing comet" --model x').error)
    assert text.startswith("RequestRejected: The API answered 400: No model 'x'.")
    assert "refused: The API answered 400" in said(fresh, "%cometvid jobs")


def test_an_interrupt_while_the_api_answers_loses_nothing(fresh: Bench) -> None:
    fresh.simulator.add_fault(Fault(CREATE, delay_s=1.0))
    before = len(made(fresh.simulator))
    asking = fresh.kernel.begin('%cometvid create --model sora-2 "A glowing comet"')
    assert fresh.simulator.wait_for_requests(CREATE)
    fresh.kernel.interrupt()
    fresh.kernel.wait_idle(asking)
    said(
        fresh,
        "import cometvid_nb, time\nwhile not cometvid_nb.jobs()[0]['job_id']: time.sleep(0.02)",
    )
    [job_id] = made(fresh.simulator)[before:]
    assert fresh.simulator.count(CREATE) == 1
    assert job_id in said(fresh, "%cometvid jobs")
    fresh.run("%cometvid resume")
    assert fresh.wait_for_card(job_id)


# Remixing.


def test_remix_takes_the_id_from_a_variable_and_leaves_the_prompt_alone(fresh: Bench) -> None:
    fresh.simulator.finish("video_demo")
    fresh.run("class job: id = 'video_demo'\nx = 1")
    said(fresh, '%cometvid remix {job.id} "At {x} $x night" --no-watch')
    said(fresh, "%%cometvid remix $job.id --no-watch\nAt {x} dawn")
    asked = [request.path for request in fresh.simulator.requests if request.method == "POST"]
    assert asked == ["/v1/videos/video_demo/remix"] * 2
    assert prompts(fresh) == ["At {x} $x night", "At {x} dawn"]
    assert "video_demo" in fresh.run("cometvid_nb.jobs()[0]['remixed_from']").text


def test_remix_watches_the_new_job(fresh: Bench) -> None:
    fresh.simulator.finish("video_demo")
    said(fresh, 'watch = %cometvid remix video_demo "At night"')
    job_id = made(fresh.simulator)[-1]
    assert fresh.wait_for_card(job_id)["prompt"] in (None, "At night")
    fresh.simulator.finish(job_id)
    assert fresh.run("watch.wait().remixed_from").text == "'video_demo'\n"


def test_a_job_that_is_not_done_cannot_be_remixed_and_says_so(fresh: Bench) -> None:
    text = said(fresh, '%cometvid remix video_stuck "At night"')
    assert "only a completed video can be remixed" in text


# Remembering.


def test_jobs_shows_a_table_in_text_and_in_html_that_escapes(fresh: Bench) -> None:
    assert said(fresh, "%cometvid jobs").startswith("No job is remembered.")
    said(
        fresh,
        "%%cometvid create --model sora-2 --no-watch --seconds 4 --size 1280x720\n"
        "A <b>bold</b> & comet",
    )
    [output] = fresh.run("%cometvid jobs").outputs
    assert WIDGET in output.data, "a list that the page searches; the table is what stays"
    job_id = made(fresh.simulator)[-1]
    for word in (job_id, "sora-2", "1280×720", "4 s", "queued", "A <b>bold</b> & comet"):
        assert word in output.data["text/plain"]
    assert "<table>" in output.data["text/html"]
    assert "A &lt;b&gt;bold&lt;/b&gt; &amp; comet" in output.data["text/html"]


def test_jobs_can_be_narrowed_down(fresh: Bench) -> None:
    said(
        fresh,
        '%cometvid create --model sora-2 "A red comet" "A blue comet" "A red moon" --no-watch',
    )
    fresh.simulator.add_fault(Fault(CREATE, status=403))
    said(fresh, '%cometvid create --model sora-2 "A red sun" --no-watch')

    def count(options: str) -> int:
        return said(fresh, f"%cometvid jobs {options}").count("A ")

    assert [count(""), count("--search RED"), count("--search comet")] == [4, 3, 2]
    assert [count("--state waiting"), count("--state refused")] == [3, 1]
    assert "1 of 4 jobs. All: %cometvid jobs --all" in said(fresh, "%cometvid jobs --limit 1")
    assert "A red sun" in said(fresh, "%cometvid jobs --limit 1"), "the latest comes first"
    assert "No job matches. States: queued, " in said(fresh, "%cometvid jobs --search nothing")


def test_jobs_shows_twenty_unless_all_are_asked_for(fresh: Bench) -> None:
    said(fresh, '%cometvid create --model sora-2 "A red comet" -n 21 --no-watch')
    shown, everything = said(fresh, "%cometvid jobs"), said(fresh, "%cometvid jobs --all")
    assert (shown.count("A red comet"), everything.count("A red comet")) == (20, 21)
    assert "20 of 21 jobs." in shown


def test_with_the_record_off_jobs_and_resume_say_how_to_switch_it_on(fresh: Bench) -> None:
    said(fresh, "%cometvid config ledger=off")
    assert said(fresh, '%cometvid create --model sora-2 "A red comet" --no-watch').startswith(
        "Created"
    )
    for command in ("jobs", "resume"):
        assert "%cometvid config ledger=on" in said(fresh, f"%cometvid {command}")


def test_each_create_that_is_not_recorded_says_so_and_keeps_the_id(
    fresh: Bench, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.sqlite3"
    bad.write_bytes(b"no database" * 500)
    text = said(
        fresh,
        f'%cometvid config ledger={bad}\n%cometvid create --model sora-2 "A comet" --no-watch',
    )
    again = said(fresh, '%cometvid create --model sora-2 "A comet" --no-watch')
    assert "Created video_" in text
    assert f"The ledger of jobs at {bad} cannot be used" in text
    created = re.search(r"Created (video_\w+)", again)
    assert created is not None
    assert "cannot be used" in again
    assert f"Write down what was created: {created[1]}" in again
    for command in ("jobs", "resume", f"forget {created[1]}"):
        told = said(fresh, f"%cometvid {command}")
        assert told.startswith(f"LedgerError: The ledger of jobs at {bad} cannot be used")
        assert "ledger=off" in told
    bad.unlink()
    assert created[1] in said(fresh, "%cometvid jobs")


# Saving.


def test_save_puts_the_clip_into_a_folder_or_a_file(fresh: Bench, tmp_path: Path) -> None:
    job_id = fresh.add_job(ending="completed", run_s=0, steps=(0,))
    clip = fresh.simulator.clip_bytes(job_id)
    fresh.run(f"%cometvid config save_dir={tmp_path}")
    said(fresh, f"%cometvid status {job_id}")
    for dest, path in {
        "": tmp_path / f"{job_id}.mp4",
        "folder": fresh.kernel.cwd / "folder" / f"{job_id}.mp4",
        f"{tmp_path}/mine.mp4": tmp_path / "mine.mp4",
    }.items():
        text = said(fresh, f"%cometvid save {job_id} {dest}")
        assert text.startswith("Saved to ")
        assert path.name in text
        assert path.read_bytes() == clip


def test_save_never_touches_a_different_file(fresh: Bench) -> None:
    job_id = fresh.add_job(ending="completed", run_s=0, steps=(0,))
    theirs = fresh.kernel.cwd / "theirs" / "comet.mp4"
    theirs.parent.mkdir()
    theirs.write_bytes(b"somebody's own film")
    text = said(fresh, f"%cometvid status {job_id}\n%cometvid save {job_id} theirs/comet.mp4")
    assert theirs.read_bytes() == b"somebody's own film"
    assert "theirs/comet-2.mp4" in text
    assert (theirs.parent / "comet-2.mp4").read_bytes() == fresh.simulator.clip_bytes(job_id)
    assert "comet-2.mp4" in said(fresh, f"%cometvid save {job_id} theirs/comet.mp4")
    assert len(list(theirs.parent.glob("*.mp4"))) == 2, "the same clip is not kept twice"


def test_save_of_a_job_that_is_not_done_says_so(fresh: Bench) -> None:
    job_id = fresh.add_job()
    error = str(fresh.run(f"%cometvid save {job_id}").error)
    assert error.startswith(f"ClipError: {job_id} has no clip yet")


def test_watch_saves_to_the_place_it_is_told(fresh: Bench) -> None:
    job_id = fresh.add_job()
    fresh.run(f"%cometvid watch {job_id} --save reel/first.mp4")
    fresh.simulator.finish(job_id)
    record = fresh.wait_for_record(job_id)
    assert 'src="reel/first.mp4"' in record["text/html"]
    assert (fresh.kernel.cwd / "reel/first.mp4").read_bytes() == fresh.simulator.clip_bytes(job_id)


def test_watch_of_a_job_whose_clip_is_here_plays_it_without_asking(fresh: Bench) -> None:
    job_id = fresh.add_job(ending="completed", run_s=0, steps=(0,), prompt="A comet")
    said(fresh, f"%cometvid status {job_id}\n%cometvid save {job_id} reel")
    fresh.simulator.requests.clear()
    said(fresh, f"%cometvid watch {job_id}")
    record = fresh.wait_for_record(job_id)
    assert f'src="reel/{job_id}.mp4"' in record["text/html"]
    assert "A comet" in record["text/html"]
    assert list(fresh.simulator.requests) == []


def test_embed_puts_the_clip_into_the_notebook(fresh: Bench) -> None:
    job_id = fresh.add_job()
    fresh.run(f"%cometvid watch {job_id} --embed")
    fresh.simulator.finish(job_id)
    record = fresh.wait_for_record(job_id)
    assert 'src="data:video/mp4;base64,' in record["text/html"]


def test_a_clip_that_is_too_large_to_embed_says_so_and_plays_from_its_file(fresh: Bench) -> None:
    job_id = fresh.add_job()
    fresh.run(
        "import cometvid_nb.display.embedding as embedding\nmost = embedding.MOST_EMBEDDED_BYTES\n"
        "embedding.MOST_EMBEDDED_BYTES = 1000"
    )
    fresh.run(f"%cometvid watch {job_id} --embed --save reel")
    fresh.simulator.finish(job_id)
    record = fresh.wait_for_record(job_id)
    fresh.run("embedding.MOST_EMBEDDED_BYTES = most")
    assert MOST_EMBEDDED_BYTES < 100e6
    assert "The clip is saved but not embedded: it has" in record["text/plain"]
    assert f'src="reel/{job_id}.mp4"' in record["text/html"]


# A kernel that dies.


@pytest.fixture
def mortal(home: Path) -> Iterator[Bench]:
    """A kernel for one test alone."""
    with open_bench(home) as bench:
        yield bench


def kill(kernel: Kernel) -> None:
    """`kill -9`, as the kernel of a machine without memory does it; then start another."""
    process_id = int(kernel.run("import os; print(os.getpid())").text)
    os.kill(process_id, signal.SIGKILL)
    kernel.restart()
    kernel.run(LOAD)


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 there")
def test_resume_brings_back_the_card_and_the_clip_after_the_kernel_was_killed(
    mortal: Bench,
) -> None:
    mortal.run('%cometvid create --model sora-2 "A glowing comet" "A blue moon"')
    one, two = made(mortal.simulator)
    kill(mortal.kernel)
    mortal.simulator.finish(one)

    text = said(mortal, "%cometvid config interval_s=0.2\nwatches = %cometvid resume")
    assert "Not known" not in text
    assert mortal.run("[watch.job_id for watch in watches]").text == f"{[one, two]}\n"
    assert 'src="videos/' in mortal.wait_for_record(one)["text/html"]
    assert mortal.wait_for_card(two)
    mortal.simulator.finish(two)
    mortal.wait_for_record(two)
    for job_id in (one, two):
        clip = mortal.kernel.cwd / "videos" / f"{job_id}.mp4"
        assert clip.read_bytes() == mortal.simulator.clip_bytes(job_id)
    assert mortal.simulator.count(CREATE) == 2, "nothing was asked for again"
    assert "every remembered job has ended" in said(mortal, "%cometvid resume")
    [record] = (mortal.kernel.cwd.parent / "xdg-data").rglob("ledger.sqlite3")
    assert KEY.encode() not in record.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 there")
def test_a_kernel_that_was_killed_before_the_answer_leaves_the_intent(mortal: Bench) -> None:
    process_id = int(mortal.run("import os; print(os.getpid())").text)
    mortal.simulator.add_fault(Fault(CREATE, delay_s=30))
    mortal.kernel.begin('%cometvid create --model sora-2 "A glowing comet"')
    assert mortal.simulator.wait_for_requests(CREATE)
    os.kill(process_id, signal.SIGKILL)
    mortal.kernel.restart()
    text = said(mortal, f"{LOAD}\n%cometvid jobs")
    assert "sending" in text
    assert "A glowing comet" in text


def test_a_waited_for_watch_whose_clip_is_not_saved_fails_its_cell(
    fresh: Bench, tmp_path: Path
) -> None:
    (tmp_path / "a_file").touch()
    job_id = fresh.add_job()
    fresh.simulator.finish(job_id)
    place = tmp_path / "a_file" / "folder"
    result = fresh.run(f"%cometvid watch {job_id} --save {place} --wait")
    assert result.error is not None
    assert "is completed, but its clip is not saved; the reason is shown above." in str(
        result.error
    )
