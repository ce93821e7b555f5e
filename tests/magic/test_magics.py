"""`%cometvid` in a real kernel: what each command says, and how it says no."""

from __future__ import annotations

import pytest

from cometvid_nb.magic.grammar import COMMANDS
from cometvid_nb.simulator import Fault
from tests.kernel import Kernel
from tests.stage import KEY, LOAD, Stage

OTHER_KEY = "sk-other-9876543210-typed-in-unseen"


def said(stage: Stage, code: str) -> str:
    """The text of a cell that ends in a line of ours and shows no traceback."""
    result = stage.run(code)
    assert all(len(o.traceback) == 1 for o in result.outputs if o.output_type == "error")
    assert "Traceback" not in result.text
    return result.text + (result.error or "")


# Help and mistakes


def test_the_magic_alone_lists_every_command_and_the_way_without_a_key(stage: Stage) -> None:
    text = said(stage, "%cometvid")
    assert all(f"%cometvid {name}" in text for name in COMMANDS)
    assert "%cometvid demo" in text
    assert text == said(stage, "%cometvid help") == said(stage, "%cometvid --help")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_also_what_its_help_option_says(stage: Stage, name: str) -> None:
    text = said(stage, f"%cometvid help {name}")
    assert text.startswith(f"%cometvid {name}")
    assert all(option in text for option in COMMANDS[name].options)
    assert text == said(stage, f"%cometvid {name} --help")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wacth video_1", "Did you mean 'watch'?"),
        ("help sttop", "Did you mean 'stop'?"),
        ("frobnicate", "There are: watch, "),
        ("watch", "required: ID"),
        ("watch video_1 --wiat", "Did you mean --wait?"),
        ("watch video_1 --wait=yes", "--wait"),
        ("watch video_1 --timeout", "--timeout: expected one argument"),
        ("watch video_1 --timeout soon", "give a number of seconds"),
        ("watch video_1 --timeout -5", "give 1 to 604800 seconds"),
        ("watch video_1 --timeout 0", "give 1 to 604800 seconds"),
        ("watch video_1 --interval nan", "give a number of seconds"),
        ("watch video_1 --interval 0.01", "give 0.2 to 3600 seconds"),
        ("watch {video}", "undefined variable?"),
        ("watch $video", "undefined variable?"),
        ("status {job.id}", "undefined variable?"),
        ("watch ../secret", "not a job id"),
        ("watch https://example.com/v.mp4", "reads like a path or a link"),
        ('watch "video_1', "quotation mark"),
        ("watch ''", "the job id is empty"),
        ("stop video_1", "'video_1' is not watched here. Watched: nothing"),
        ("wait video_1", "'video_1' is not watched here"),
        ("config save_dirr=x", "there is no setting 'save_dirr'"),
        ("config save_dir", "KEY=VALUE"),
        ("config save=maybe", "give on or off"),
        ("config timeout_s=long", "give a number of seconds"),
        ("config save_dir=", "save_dir is empty"),
        ("config base_url=example", "is no web address"),
        ("config base_url=http://example.com/v1", "has no TLS"),
        ("config api_key=sk-typed-in-a-cell", "use %cometvid login"),
        ("config is_simulated=on", "%cometvid demo"),
        ("demo --speed fast", "give 0.01 to 1000"),
    ],
)
def test_a_mistake_is_answered_in_words_without_a_traceback(
    stage: Stage, line: str, expected: str
) -> None:
    text = said(stage, f"%cometvid {line}")
    assert text.startswith("UsageError: ")
    assert expected in text
    assert stage.simulator.count("GET /videos/video_1") == 0


def test_a_mistake_fails_the_cell_so_that_run_all_stops_there(stage: Stage) -> None:
    assert "never" not in said(stage, "%cometvid wacth\nprint('never')")


# Asking, stopping, waiting


def test_status_asks_once_and_shows_a_table_and_a_text(stage: Stage) -> None:
    job_id = stage.add_job(prompt="A <b>bold</b> comet", steps=(40,))
    [output] = stage.run(f"%cometvid status {job_id}").outputs
    assert stage.simulator.count(f"GET /videos/{job_id}") == 1
    assert output.data["text/plain"].startswith(f"{job_id} · In progress, 40% · sora-2")
    assert "<table>" in output.data["text/html"]
    assert "A &lt;b&gt;bold&lt;/b&gt; comet" in output.data["text/html"]


def test_status_says_what_the_api_refused_and_what_can_be_done(stage: Stage) -> None:
    refused = said(stage, "%cometvid status video_nowhere")
    assert "The API knows no job video_nowhere under this key." in refused
    assert "Check the id for a typo" in refused
    stage.simulator.add_fault(Fault("GET /videos/{id}", status=403))
    assert "account" in said(stage, "%cometvid status video_demo")
    stage.simulator.add_fault(Fault("GET /videos/{id}", status=502, body="<html>bad</html>"))
    assert "502 with an HTML page" in said(stage, "%cometvid status video_demo")


def test_an_unreachable_host_is_named_without_a_traceback(stage: Stage) -> None:
    dead = stage.simulator.dead_origin
    text = said(stage, f"%cometvid config base_url={dead}/v1\n%cometvid status video_demo")
    assert "No answer from the API at 127.0.0.1: it cannot be reached." in text


def test_stop_names_what_it_stops_and_asks_back_when_there_are_several(stage: Stage) -> None:
    assert "No job is being watched." in said(stage, "%cometvid stop")
    one, two = stage.add_job(), stage.add_job()
    stage.run(f"%cometvid watch {one} {two}")
    assert f"{one}, {two}. Name one, or say --all" in said(stage, "%cometvid stop")
    assert f"Stopped watching {one}. The job itself goes on" in said(stage, f"%cometvid stop {one}")
    assert f"The watch of {one} is over already." in said(stage, f"%cometvid stop {one}")
    assert f"Stopped watching {two}." in said(stage, "%cometvid stop")
    assert "No job is being watched." in said(stage, "%cometvid stop --all")
    assert stage.wait_for_card(one, phase="stopped")["command"] == f"%cometvid watch {one}"


def test_wait_returns_when_every_watched_job_has_ended(stage: Stage) -> None:
    assert "No job is being watched." in said(stage, "%cometvid wait")
    ids = [stage.add_job(), stage.add_job()]
    stage.run(f"%cometvid watch {' '.join(ids)} --interval 0.2")
    waiting = stage.kernel.begin("%cometvid wait\nprint('both')")
    for job_id in ids:
        stage.wait_for_card(job_id, phase="running")
        stage.simulator.finish(job_id)
    assert stage.kernel.wait_idle(waiting).text.endswith("both\n")


# Settings and the key


def test_config_shows_every_setting_and_sets_several_at_once(stage: Stage) -> None:
    shown = said(stage, "%cometvid config save_dir=clips timeout_s=90 save=no")
    rows = {line.split()[0]: line.split()[1] for line in shown.strip().splitlines()}
    assert (rows["save_dir"], rows["timeout_s"], rows["save"]) == ("clips", "90", "off")
    assert rows["base_url"] == stage.simulator.base_url
    assert shown == said(stage, "%cometvid config")


def test_a_bad_value_among_good_ones_changes_nothing(stage: Stage) -> None:
    before = said(stage, "%cometvid config")
    said(stage, "%cometvid config save_dir=elsewhere timeout_s=never")
    assert said(stage, "%cometvid config") == before


def test_config_magic_of_ipython_and_ours_change_the_same_settings(stage: Stage) -> None:
    said(stage, "%config Cometvid.save_dir = 'x'")
    assert "save_dir      x " in said(stage, "%cometvid config")
    said(stage, "%cometvid config timeout_s=77")
    assert said(stage, "%config Cometvid.timeout_s") == "77.0\n"
    assert "give 1 to 604800 seconds" in said(stage, "%config Cometvid.timeout_s = -1")
    assert said(stage, "%config Cometvid.timeout_s") == "77.0\n"


def test_ipython_config_py_is_read_when_the_extension_loads(kernel: Kernel) -> None:
    profile = kernel.cwd.parent / "ipython" / "profile_default"
    (profile / "ipython_config.py").write_text("c.Cometvid.save_dir = 'from the file'\n")
    kernel.restart()
    assert "from the file" in kernel.run(f"{LOAD}\n%cometvid config").text


def test_a_bad_value_in_ipython_config_py_is_left_out_with_a_word(kernel: Kernel) -> None:
    profile = kernel.cwd.parent / "ipython" / "profile_default"
    (profile / "ipython_config.py").write_text("c.Cometvid.timeout_s = -1.0\n")
    kernel.restart()
    result = kernel.run(f"{LOAD}\n%config Cometvid.timeout_s")
    assert result.text == (
        "A value in IPython's configuration is left out. "
        "timeout_s is -1: give 1 to 604800 seconds\n3600.0\n"
    )


def test_login_takes_the_key_unseen_and_shows_four_characters_of_it(stage: Stage) -> None:
    result = stage.run("%cometvid login", answers=[f"  {OTHER_KEY}\n"])
    assert "••••seen is kept in this kernel's memory" in result.text
    refused = said(stage, "%cometvid status video_demo")
    assert "401" in refused
    assert "run %cometvid login" in refused
    stage.run("%cometvid config")
    stage.run("%config Cometvid")
    stage.run("import cometvid_nb.session.session as s; s.current().settings")
    assert OTHER_KEY not in str(stage.kernel.messages)
    stage.run("%cometvid login", answers=[KEY])
    assert "video_demo ·" in said(stage, "%cometvid status video_demo")


@pytest.mark.parametrize("typed", ["", "two words", "sk-ключ"])
def test_what_can_be_no_key_is_refused_without_repeating_it(stage: Stage, typed: str) -> None:
    result = stage.run("%cometvid login", answers=[typed])
    assert "UsageError: the API key" in result.text
    assert not typed or typed not in str(stage.kernel.messages)


def test_login_where_nobody_can_be_asked_names_the_variable(stage: Stage) -> None:
    result = stage.run("%cometvid login", allow_stdin=False)
    assert result.error is None
    assert "set COMETAPI_KEY before the kernel starts" in result.text


def test_without_a_key_every_road_to_one_is_named(stage: Stage) -> None:
    result = stage.run(
        "import os; key = os.environ.pop('COMETAPI_KEY')\n"
        "%reload_ext cometvid_nb\n"
        "%cometvid watch video_demo\n"
    )
    stage.run("os.environ['COMETAPI_KEY'] = key; del key")
    assert result.error is None
    assert all(
        word in result.text for word in ("%cometvid login", "COMETAPI_KEY", "%cometvid demo")
    )


# The demo


def test_demo_names_a_job_that_is_ready_and_says_that_it_is_a_simulation(stage: Stage) -> None:
    outside = stage.simulator.count("GET /videos/video_demo")
    assert "%cometvid watch video_demo" in said(stage, "%cometvid demo --speed 50")
    [status] = stage.run("%cometvid status video_demo").outputs
    assert "simulation" in status.data["text/plain"]
    assert "simulation" in status.data["text/html"]
    said(stage, "%cometvid watch video_demo --wait")
    assert all(card["is_simulated"] for card in stage.cards("video_demo"))
    assert stage.cards("video_demo")[-1]["phase"] == "completed"
    assert stage.simulator.count("GET /videos/video_demo") == outside


def test_demo_stop_goes_back_to_the_settings_of_before(stage: Stage) -> None:
    said(stage, "%cometvid config save_dir=mine")
    before = said(stage, "%cometvid config")
    said(stage, "%cometvid demo\n%cometvid demo --speed 3\n%cometvid watch video_stuck")
    assert "Left the simulation." in said(stage, "%cometvid demo --stop")
    assert said(stage, "%cometvid config") == before
    assert stage.wait_for_card("video_stuck", phase="stopped")
    assert "No simulation was on." in said(stage, "%cometvid demo --stop")


# Completion


@pytest.mark.parametrize("before", ["", "x = ", "a, b = ", "y = 1\nx = ", "  "])
def test_commands_complete_wherever_the_magic_may_stand(stage: Stage, before: str) -> None:
    assert stage.completions(f"{before}%cometvid wa") == ["wait", "watch"]
    assert set(stage.completions(f"{before}%cometvid ")) == set(COMMANDS)


def test_options_settings_and_known_ids_complete(stage: Stage) -> None:
    job_id = stage.add_job()
    assert stage.completions("%cometvid watch video_") == []
    stage.run(f"%cometvid watch {job_id}")
    assert stage.completions("%cometvid stop video_") == [job_id]
    assert stage.completions(f"x = %cometvid watch {job_id} --wa") == ["--wait"]
    assert stage.completions(f"%cometvid watch {job_id} --wait --wa") == []
    assert stage.completions("%cometvid config save") == ["save=", "save_dir="]
    assert stage.completions("%cometvid config api") == []
    assert stage.completions("%cometvid help st") == ["status", "stop"]
    stage.run("%cometvid demo")
    assert "video_demo" in stage.completions("%cometvid watch video_d")
    stage.run("%cometvid create 'A comet' --size 720x1280 --no-watch")
    assert stage.completions("%cometvid create --size ") == ["720x1280"]


def test_completion_of_other_lines_is_left_alone(stage: Stage) -> None:
    assert "%cometvid" in stage.completions("%cometv")
    assert "path" in stage.completions("import os\nos.pa")
