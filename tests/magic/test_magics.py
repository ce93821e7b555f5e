"""`%cometvid` in a real kernel: what each command says, and how it says no."""

from __future__ import annotations

import re

import pytest

from cometvid_nb.magic.grammar import COMMANDS
from cometvid_nb.simulator import Fault
from tests.bench import LOAD, Bench
from tests.catalogue import LISTED, PAGE_URL
from tests.kernel import Kernel
from tests.simulated import KEY

OTHER_KEY = "sk-other-9876543210-typed-in-unseen"


def said(bench: Bench, code: str) -> str:
    """The text of a cell that ends in a line of ours and shows no traceback."""
    result = bench.run(code)
    assert all(len(o.traceback) == 1 for o in result.outputs if o.output_type == "error")
    assert "Traceback" not in result.text
    return result.text + (result.error or "")


# Help and mistakes


def test_the_magic_alone_lists_every_command_and_the_way_without_a_key(bench: Bench) -> None:
    text = said(bench, "%cometvid")
    assert all(f"%cometvid {name}" in text for name in COMMANDS)
    assert "%cometvid demo" in text
    assert text == said(bench, "%cometvid help") == said(bench, "%cometvid --help")
    bench.kernel.client.inspect("%cometvid")
    shown = bench.kernel.client.get_shell_msg(timeout=20)["content"]["data"]["text/plain"]
    assert all(f"%cometvid {name}" in shown for name in COMMANDS)


def test_the_start_page_says_which_api_and_key_are_set_and_what_runs(bench: Bench) -> None:
    text = said(bench, "%cometvid")
    assert text.startswith(f"The API is {bench.simulator.base_url}, with the key ••••{KEY[-4:]}.")
    job_id = bench.add_job()
    bench.run(f"%cometvid watch {job_id}")
    bench.wait_for_card(job_id, phase="running")
    [page] = bench.run("%cometvid").outputs
    assert f"Watching 1 job: {job_id} (In progress" in page.data["text/plain"]
    assert f"%cometvid stop {job_id}" in page.data["text/plain"]
    assert page.data["text/html"].count("<details>") == len(COMMANDS)
    bench.run("%cometvid demo")
    assert said(bench, "%cometvid").startswith("The simulated API is on")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_also_what_its_help_option_says(bench: Bench, name: str) -> None:
    text = said(bench, f"%cometvid help {name}")
    assert text.startswith(f"%cometvid {name}")
    assert all(option in text for option in COMMANDS[name].options)
    assert text == said(bench, f"%cometvid {name} --help")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wacth video_1", "Did you mean 'watch'?"),
        ("help sttop", "Did you mean 'stop'?"),
        ("frobnicate", "Commands: watch, "),
        ("watch", "required: ID"),
        ("watch video_1 --wiat", "Did you mean --wait?"),
        ("watch video_1 --wait=yes", "--wait"),
        ("watch video_1 --timeout", "--timeout: expected one argument"),
        ("watch video_1 --timeout soon", "give a number of seconds"),
        ("watch video_1 --timeout -5", "--timeout is -5: give 1 to 604800 seconds"),
        ("wait --timeout 0", "--timeout is 0: give 1 to 604800 seconds"),
        ("watch video_1 --interval nan", "give a number of seconds"),
        ("watch video_1 --interval 0.01", "give 0.2 to 3600 seconds"),
        ("watch {video}", "undefined variable?"),
        ("watch $video", "undefined variable?"),
        ("status {job.id}", "undefined variable?"),
        ("watch ../secret", "not a job id"),
        ("watch https://example.com/v.mp4", "looks like a path or a link"),
        ('watch "video_1', "quotation mark"),
        ("watch ''", "the job id is empty"),
        ("stop video_1", "'video_1' is not watched here. Watched: no job"),
        ("wait video_1", "'video_1' is not watched here"),
        ("config save_dirr=x", "there is no setting 'save_dirr'"),
        ("config save_dir", "KEY=VALUE"),
        ("config save=maybe", "give on or off"),
        ("config timeout_s=long", "give a number of seconds"),
        ("config save_dir=", "save_dir is empty"),
        ("config base_url=example", "is not a web address"),
        ("config base_url=http://example.com/v1", "has no TLS"),
        ("config api_key=sk-typed-in-a-cell", "use %cometvid login"),
        ("config is_simulated=on", "%cometvid demo"),
        ("demo --speed fast", "give 0.01 to 1000"),
        ("demo --speed 0", "--speed is '0': give 0.01 to 1000"),
    ],
)
def test_a_mistake_is_answered_in_words_without_a_traceback(
    bench: Bench, line: str, expected: str
) -> None:
    text = said(bench, f"%cometvid {line}")
    assert text.startswith("UsageError: ")
    assert expected in text
    assert bench.simulator.count("GET /videos/video_1") == 0


def test_a_mistake_fails_the_cell_so_that_run_all_stops_there(bench: Bench) -> None:
    assert "never" not in said(bench, "%cometvid wacth\nprint('never')")


# Asking, stopping, waiting


def test_status_asks_once_and_shows_a_table_and_a_text(bench: Bench) -> None:
    job_id = bench.add_job(prompt="A <b>bold</b> comet", steps=(40,))
    [output] = bench.run(f"%cometvid status {job_id}").outputs
    assert bench.simulator.count(f"GET /videos/{job_id}") == 1
    assert output.data["text/plain"].startswith(f"{job_id} · In progress, 40% · sora-2")
    assert "<table>" in output.data["text/html"]
    assert "A &lt;b&gt;bold&lt;/b&gt; comet" in output.data["text/html"]


def test_status_says_what_the_api_refused_and_what_can_be_done(bench: Bench) -> None:
    refused = said(bench, "%cometvid status video_nowhere")
    assert "The API knows no job video_nowhere under this key." in refused
    assert "Check the id for typos" in refused
    bench.simulator.add_fault(Fault("GET /videos/{id}", status=403))
    assert "account" in said(bench, "%cometvid status video_demo")
    bench.simulator.add_fault(Fault("GET /videos/{id}", status=502, body="<html>bad</html>"))
    assert "502 with an HTML page" in said(bench, "%cometvid status video_demo")


def test_an_unreachable_host_is_named_without_a_traceback(bench: Bench) -> None:
    dead = bench.simulator.dead_origin
    text = said(bench, f"%cometvid config base_url={dead}/v1\n%cometvid status video_demo")
    assert "No answer from the API at 127.0.0.1: it cannot be reached." in text


def test_stop_names_what_it_stops_and_asks_back_when_there_are_several(bench: Bench) -> None:
    assert "No job is being watched." in said(bench, "%cometvid stop")
    one, two = bench.add_job(), bench.add_job()
    bench.run(f"%cometvid watch {one} {two}")
    assert f"{one}, {two}. Name one, or add --all" in said(bench, "%cometvid stop")
    assert f"Stopped watching {one}. The job itself goes on" in said(bench, f"%cometvid stop {one}")
    assert f"{one} is no longer watched." in said(bench, f"%cometvid stop {one}")
    assert f"Stopped watching {two}." in said(bench, "%cometvid stop")
    assert "No job is being watched." in said(bench, "%cometvid stop --all")
    assert bench.wait_for_card(one, phase="stopped")["command"] == f"%cometvid watch {one}"


def test_wait_returns_when_every_watched_job_has_ended(bench: Bench) -> None:
    assert "No job is being watched." in said(bench, "%cometvid wait")
    ids = [bench.add_job(), bench.add_job()]
    bench.run(f"%cometvid watch {' '.join(ids)} --interval 0.2")
    waiting = bench.kernel.begin("%cometvid wait\nprint('both')")
    for job_id in ids:
        bench.wait_for_card(job_id, phase="running")
        bench.simulator.finish(job_id)
    assert bench.kernel.wait_idle(waiting).text.endswith("both\n")


def test_a_wait_has_a_timeout_and_the_watch_goes_on(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"%cometvid watch {job_id} --interval 0.2")
    told = f"Stopped waiting after 1 s. The watch goes on: %cometvid wait {job_id}"
    assert said(bench, "%cometvid wait --timeout 1").endswith(f"GaveUp: {told}")
    bench.simulator.finish(job_id)
    assert bench.wait_for_record(job_id)


def test_an_empty_list_of_ids_never_means_all_watches(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.run(f"ids = []\nwatch = %cometvid watch {job_id}")
    for line in ("stop {ids}", "wait {ids}", "watch $ids", "stop []"):
        assert "names no job" in said(bench, f"%cometvid {line}"), line
    assert "Stopped" in said(bench, "%cometvid stop {watch}")


# Settings and the key


def test_config_shows_every_setting_and_sets_several_at_once(bench: Bench) -> None:
    shown = said(bench, "%cometvid config save_dir=clips timeout_s=90 save=no")
    rows = {line.split()[0]: line.split()[1] for line in shown.strip().splitlines()}
    assert (rows["save_dir"], rows["timeout_s"], rows["save"]) == ("clips", "90", "off")
    assert rows["base_url"] == bench.simulator.base_url
    assert shown == said(bench, "%cometvid config")


def test_who_changes_the_address_is_told_where_the_key_goes(bench: Bench) -> None:
    text = said(bench, "%cometvid config base_url=https://gateway.invalid/v1")
    assert text.endswith(f"The key ••••{KEY[-4:]} goes to gateway.invalid from now on.\n")
    assert "goes to" not in said(bench, "%cometvid config save=off")
    assert "goes to" not in said(bench, "%cometvid config base_url=http://127.0.0.1:1/v1")


def test_a_bad_value_among_good_ones_changes_nothing(bench: Bench) -> None:
    before = said(bench, "%cometvid config")
    said(bench, "%cometvid config save_dir=elsewhere timeout_s=never")
    assert said(bench, "%cometvid config") == before


def test_config_magic_of_ipython_and_ours_change_the_same_settings(bench: Bench) -> None:
    said(bench, "%config Cometvid.save_dir = 'x'")
    assert re.search(r"save_dir +x ", said(bench, "%cometvid config"))
    said(bench, "%cometvid config timeout_s=77")
    assert said(bench, "%config Cometvid.timeout_s") == "77.0\n"
    assert "give 1 to 604800 seconds" in said(bench, "%config Cometvid.timeout_s = -1")
    assert said(bench, "%config Cometvid.timeout_s") == "77.0\n"


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
        "A value in IPython's configuration is ignored: "
        "timeout_s is -1: give 1 to 604800 seconds\n3600.0\n"
    )


def test_login_takes_the_key_unseen_and_shows_four_characters_of_it(bench: Bench) -> None:
    result = bench.run("%cometvid login", answers=[f"  {OTHER_KEY}\n"])
    assert "••••seen is kept in this kernel's memory" in result.text
    refused = said(bench, "%cometvid status video_demo")
    assert "401" in refused
    assert "run %cometvid login" in refused
    bench.run("%cometvid config")
    bench.run("%config Cometvid")
    bench.run("import cometvid_nb.session.session as s; s.current().settings")
    assert OTHER_KEY not in str(bench.kernel.messages)
    bench.run("%cometvid login", answers=[KEY])
    assert "video_demo ·" in said(bench, "%cometvid status video_demo")


@pytest.mark.parametrize("typed", ["", "two words", "sk-ключ"])
def test_what_can_be_no_key_is_refused_without_repeating_it(bench: Bench, typed: str) -> None:
    result = bench.run("%cometvid login", answers=[typed])
    assert "UsageError: the API key" in result.text
    assert not typed or typed not in str(bench.kernel.messages)


def test_login_where_nobody_can_be_asked_names_the_variable(bench: Bench) -> None:
    result = bench.run("%cometvid login", allow_stdin=False)
    assert result.error is None
    assert "set COMETAPI_KEY before the kernel starts" in result.text


def test_without_a_key_every_road_to_one_is_named(bench: Bench) -> None:
    result = bench.run(
        "import os; key = os.environ.pop('COMETAPI_KEY')\n"
        "%cometvid config base_url=https://api.cometapi.com/v1\n"
        "%cometvid watch video_demo\n"
    )
    bench.run("os.environ['COMETAPI_KEY'] = key; del key")
    assert result.error is None
    assert all(
        word in result.text for word in ("%cometvid login", "COMETAPI_KEY", "%cometvid demo")
    )


@pytest.mark.parametrize("url", ["http://10.0.0.5:4000/v1", "nonsense", "https://[bad/v1"])
def test_an_address_of_the_environment_that_cannot_be_used_locks_nobody_out(
    bench: Bench, url: str
) -> None:
    before = bench.simulator.base_url
    bench.run(f"%env COMETAPI_BASE_URL={url}")
    try:
        shown = said(bench, "%cometvid config save=off")
        assert f"The API cannot be asked: base_url '{url}'" in shown
        assert "%cometvid config base_url=" in shown
        assert "watch" in said(bench, "%cometvid help")
        assert "No job is remembered." in said(bench, "%cometvid jobs")
        assert bench.run("import cometvid_nb; cometvid_nb.jobs()").error is None
        assert "is kept" in bench.run("%cometvid login", answers=[KEY]).text
        said(bench, "%cometvid demo --speed 50")
        assert "video_demo ·" in said(bench, "%cometvid status video_demo")
        said(bench, "%cometvid demo --stop")
        for line in ("watch video_1", "status video_1", "create 'A comet'", "models"):
            refused = said(bench, f"%cometvid {line}")
            assert refused.startswith("UsageError: base_url"), line
            assert "COMETAPI_BASE_URL" in refused
        said(bench, f"%cometvid config base_url={before}")
        assert "video_demo ·" in said(bench, "%cometvid status video_demo")
    finally:
        bench.run(f"%env COMETAPI_BASE_URL={before}")


def test_a_key_in_the_environment_of_a_cell_is_heeded_and_one_typed_in_wins(bench: Bench) -> None:
    # Not `%env COMETAPI_KEY=…` for the true one: IPython prints what it sets, into the notebook.
    bench.run(f"import os; key = os.environ['COMETAPI_KEY']\n%env COMETAPI_KEY={OTHER_KEY}")
    try:
        assert "401" in said(bench, "%cometvid status video_demo")
        bench.run("os.environ['COMETAPI_KEY'] = key")
        assert "video_demo ·" in said(bench, "%cometvid status video_demo")
        bench.run("del os.environ['COMETAPI_KEY']")
        without = said(bench, "%cometvid status video_demo")
        assert "401" in without
        assert "No API key is set. Run %cometvid login" in without
        assert "authorization" not in bench.simulator.requests[-1].headers
        bench.run("%cometvid login", answers=[KEY])
        bench.run(f"%env COMETAPI_KEY={OTHER_KEY}")
        assert "video_demo ·" in said(bench, "%cometvid status video_demo")
    finally:
        bench.run("os.environ['COMETAPI_KEY'] = key")


# Models


def test_models_are_listed_found_by_tab_and_kept(bench: Bench) -> None:
    bench.simulator.add_fault(Fault("GET /models", status=200, body=LISTED))
    [output] = bench.run("%cometvid models google").outputs
    assert "veo3.1" in output.data["text/plain"]
    assert f'href="{PAGE_URL}"' in output.data["text/html"]
    assert "sora-2" not in output.data["text/plain"]
    said(bench, "%cometvid models")
    assert bench.simulator.count("GET /models") == 1
    assert bench.completions("%cometvid create --model v") == ["veo3.1"]
    assert bench.completions("%cometvid config model=so") == ["model=sora-2"]
    said(bench, "%cometvid config model=sora-2")
    assert said(bench, "%config Cometvid.model") == "'sora-2'\n"
    assert bench.simulator.count("GET /models") == 1


def test_a_server_without_a_list_of_models_is_told_of(bench: Bench) -> None:
    base_url = f"{bench.simulator.base_url}/elsewhere"
    text = said(bench, f"%cometvid config base_url={base_url}\n%cometvid models")
    assert "404" in text


# The demo


def test_demo_names_a_job_that_is_ready_and_says_that_it_is_a_simulation(bench: Bench) -> None:
    outside = bench.simulator.count("GET /videos/video_demo")
    assert "%cometvid watch video_demo" in said(bench, "%cometvid demo --speed 50")
    offered = bench.completions("%cometvid watch video_")
    assert "video_demo" in offered
    assert not [job_id for job_id in offered if "_dialect_" in job_id], "they would bury it"
    assert "video_dialect_url" in bench.completions("%cometvid watch video_dialect_")
    [status] = bench.run("%cometvid status video_demo").outputs
    assert "simulation" in status.data["text/plain"]
    assert "simulation" in status.data["text/html"]
    said(bench, "%cometvid watch video_demo --wait")
    assert all(card["is_simulated"] for card in bench.cards("video_demo"))
    assert bench.cards("video_demo")[-1]["phase"] == "completed"
    assert bench.simulator.count("GET /videos/video_demo") == outside


def test_demo_stop_goes_back_to_the_settings_of_before(bench: Bench) -> None:
    said(bench, "%cometvid config save_dir=mine")
    before = said(bench, "%cometvid config")
    said(bench, "%cometvid demo\n%cometvid demo --speed 3\n%cometvid watch video_stuck")
    assert "The simulation has ended." in said(bench, "%cometvid demo --stop")
    assert said(bench, "%cometvid config") == before
    assert bench.wait_for_card("video_stuck", phase="stopped")
    assert "No simulation is running." in said(bench, "%cometvid demo --stop")


# Finished clips


def test_what_is_made_of_a_clip_shows_itself_in_its_cell(bench: Bench) -> None:
    job_id = bench.add_job()
    bench.simulator.finish(job_id)
    messages = bench.run(f"%cometvid frames {job_id} --at 0,last").messages
    # What took long has told so first, and the strip then took the place of that line.
    shown = [m["content"]["data"] for m in messages if m["msg_type"].endswith("display_data")]
    assert shown[-1]["text/html"].count("data:image/jpeg;base64,") == 2
    assert [m["msg_type"] for m in messages].count("display_data") == 1
    assert "for the last frame" in said(bench, f"%cometvid frames {job_id} --at 99")
    assert "two clips or more" in said(bench, f"%cometvid reel {job_id}")
    code = f"import cometvid_nb\njob = cometvid_nb.watch({job_id!r}, save=False).wait()\n"
    assert "(2, 360, 640, 3)" in bench.run(f"{code}job.frames(count=2).shape").text


# Completion


@pytest.mark.parametrize("before", ["", "x = ", "a, b = ", "y = 1\nx = ", "  "])
def test_commands_complete_wherever_the_magic_may_stand(bench: Bench, before: str) -> None:
    assert bench.completions(f"{before}%cometvid wa") == ["wait", "watch"]
    assert set(bench.completions(f"{before}%cometvid ")) == set(COMMANDS)


def test_options_settings_and_known_ids_complete(bench: Bench) -> None:
    job_id = bench.add_job()
    assert job_id not in bench.completions("%cometvid watch video_")
    bench.run(f"%cometvid watch {job_id}")
    assert bench.completions("%cometvid stop video_") == [job_id]
    assert bench.completions(f"x = %cometvid watch {job_id} --wa") == ["--wait"]
    assert bench.completions(f"%cometvid watch {job_id} --wait --wa") == []
    assert bench.completions("%cometvid config save") == ["save=", "save_dir="]
    assert bench.completions("%cometvid config api") == []
    assert bench.completions("%cometvid help st") == ["status", "stop"]
    bench.run("%cometvid demo")
    assert "video_demo" in bench.completions("%cometvid watch video_d")
    bench.run("%cometvid create 'A comet' --model m --size 720x1280 --no-watch")
    assert "720x1280" in bench.completions("%cometvid create --size ")


def test_where_nothing_is_known_tab_offers_nothing(bench: Bench) -> None:
    assert bench.completions("%cometvid watch i") == []
    assert bench.completions("%cometvid demo ") == []
    assert bench.completions("%%cometvid create\nA comet i") == []


def test_completion_of_other_lines_is_left_alone(bench: Bench) -> None:
    assert "%cometvid" in bench.completions("%cometv")
    assert "filemode" in bench.completions("import stat\nstat.filem")
