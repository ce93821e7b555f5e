"""Colab: its pins stay, the saved file plays, its page asks for news, and it keeps the key."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cometvid_nb.simulator import Scenario, Simulator
from tests.colab.page import PYTHON, ROOT, ColabPage
from tests.environment import isolated_environ
from tests.simulated import KEY

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="`make test` installs what a Colab runtime has"
)
WIDGET = "application/vnd.jupyter.widget-view+json"
QUICK: dict[str, Any] = {"queue_s": 0, "run_s": 0.2}
LOCAL = (
    *("magic/test_completion", "magic/test_grammar", "magic/test_expansion", "test_settings"),
    *("display/test_feed", "display/test_delivery", "display/test_embedding"),
)

# What pip would do, asked of what is installed: it changes a package that a requirement excludes.
CLOSURE = """
from importlib.metadata import PackageNotFoundError, distribution
from packaging.requirements import Requirement
seen, left = set(), ["cometvid-nb"]
while left:
    name = left.pop()
    seen.add(name)
    # The classic Notebook is left out here, see requirements.txt.
    for text in () if name == "widgetsnbextension" else distribution(name).requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            try:
                version = distribution(wanted.name).version
            except PackageNotFoundError:
                version = ""
            if not wanted.specifier.contains(version or "0", prereleases=True) or not version:
                print(f"{name} wants {wanted}, here is {version or 'none'}")
            elif wanted.name.lower() not in seen:
                left.append(wanted.name.lower())
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[ColabPage]:
    environ = {"COMETAPI_BASE_URL": simulator.base_url, "COMETAPI_KEY": KEY}
    page = ColabPage(tmp_path_factory.mktemp("colab"), **environ)
    yield page
    page.stop()


@pytest.fixture
def loaded(page: ColabPage) -> ColabPage:
    assert page.run("%reload_ext cometvid_nb") == ""
    page.lost.clear()
    return page


def card_id(page: ColabPage) -> str:
    return [name for name, state in page.models.items() if "card" in state][-1]


def clip_in(html: str) -> bytes:
    found = re.search(r'src="data:video/mp4;base64,([^"]+)"', html)
    assert found is not None
    return base64.b64decode(found[1])


def test_installing_the_package_changes_no_pin() -> None:
    told = subprocess.run([PYTHON, "-c", CLOSURE], capture_output=True, text=True, check=True)
    assert told.stdout == ""


def test_tests_without_a_kernel_pass_with_the_pins(home: Path) -> None:
    # Warnings are those of old versions.
    options = ["-q", "--override-ini=filterwarnings=default", "-p", "no:cacheprovider", "-x"]
    told = subprocess.run(
        [PYTHON, "-m", "pytest", *options, *(f"tests/{name}.py" for name in LOCAL)],
        cwd=ROOT,
        env=isolated_environ(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]


def test_tab_completes_with_an_ipython_that_knows_no_new_matchers(loaded: ColabPage) -> None:
    def tab(code: str) -> set[str]:
        return set(loaded.client.complete(code, reply=True)["content"]["matches"])

    loaded.run("get_ipython().Completer.use_jedi = False")  # as Colab's configuration has it
    assert tab("%cometvid wa") == {"watch", "wait"}
    assert tab("x = %cometvid config inter") == {"interval_s="}
    assert tab("1 + abs") == {"abs"}


def test_the_saved_file_holds_the_record_with_the_clip_in_it(
    loaded: ColabPage, simulator: Simulator
) -> None:
    job_id = simulator.add(Scenario("video_waited", **QUICK))
    loaded.run(f"%cometvid watch {job_id} --interval 0.2")
    [output] = loaded.outputs
    assert WIDGET not in output["data"]
    assert clip_in(loaded.html) == (loaded.folder / f"videos/{job_id}.mp4").read_bytes()
    assert loaded.lost == []


def test_a_gallery_and_a_job_that_fails_leave_no_widget_either(
    loaded: ColabPage, simulator: Simulator
) -> None:
    ids = [simulator.add(Scenario(f"video_take_{number}", **QUICK)) for number in range(2)]
    ids.append(simulator.add(Scenario("video_bad", ending="failed", **QUICK)))
    loaded.run(f"%cometvid watch {' '.join(ids)} --gallery --interval 0.2")
    assert loaded.html.count('src="data:video/mp4') == 2
    loaded.run("%cometvid watch video_bad --interval 0.2")
    assert "Failed" in loaded.html
    loaded.run("%cometvid jobs")
    assert "video_bad" in loaded.html
    assert loaded.lost == []


def test_a_card_that_is_not_waited_for_moves_when_its_page_asks(
    loaded: ColabPage, simulator: Simulator
) -> None:
    job_id = simulator.add(Scenario("video_asked", steps=(40,), ending="never", **QUICK))
    loaded.run(f"%cometvid watch {job_id} --no-wait --interval 0.2")
    assert WIDGET in loaded.outputs[-1]["data"]
    model_id = card_id(loaded)
    assert loaded.models[model_id]["pull_every_s"] > 0

    def pull_until(phase: str) -> None:
        while loaded.models[model_id]["card"]["phase"] != phase:
            [answer] = loaded.ask(model_id, {"kind": "pull"})
            assert answer["kind"] == "pulled"

    pull_until("running")
    simulator.finish(job_id)
    while not loaded.ask(model_id, {"kind": "pull"})[-1]["is_over"]:
        pass
    assert clip_in(loaded.html)
    assert loaded.lost == []


def test_a_large_clip_arrives_within_the_request_and_stays_out_of_the_file(
    loaded: ColabPage, simulator: Simulator
) -> None:
    job_id = simulator.add(Scenario("video_large", **QUICK))
    loaded.run(f"w = %cometvid watch {job_id} --interval 0.2")
    small = (loaded.folder / f"videos/{job_id}.mp4").read_bytes()
    loaded.run(
        "from pathlib import Path; import cometvid_nb\n"
        "from cometvid_nb.session.session import current\n"
        f"file = Path('videos/{job_id}.mp4').resolve()\n"
        "size = 30_000_000 - file.stat().st_size\n"
        "with file.open('ab') as out:\n"
        "    out.write(size.to_bytes(4, 'big') + b'free' + bytes(size - 8))\n"
        "here = current()\n"
        f"here.ledger.keep_clip(here.settings.base_url, '{job_id}', str(file), 30_000_000)"
    )
    loaded.run(f"cometvid_nb.JobWidget('{job_id}')")
    # Colab draws a widget of others only with this.
    assert "custom_widget_manager" in json.dumps(loaded.outputs[-1]["metadata"])
    pieces = loaded.ask(card_id(loaded), {"kind": "fetch_clip", "request": 7, "number": 0})
    clip = b"".join(bytes(part) for piece in pieces for part in piece["buffers"])
    assert len(clip) == 30_000_000
    assert clip.startswith(small)
    assert loaded.lost == []
    loaded.run(f"%cometvid watch {job_id}")
    assert "<video" not in loaded.html
    assert f"videos/{job_id}.mp4" in loaded.html
    assert "folder icon" in loaded.html
    assert len(loaded.html) < 500_000


def test_the_key_is_among_the_secrets_and_asked_for_once_a_cell(page: ColabPage) -> None:
    page.run(
        "import os; base = os.environ.pop('COMETAPI_BASE_URL'); os.environ.pop('COMETAPI_KEY')"
    )
    try:
        page.run("%reload_ext cometvid_nb\n%cometvid")
        assert page.asked == []
        told = page.run("%cometvid watch video_1")
        assert "there is no secret COMETAPI_KEY" in told
        assert "click the key icon" in told
        page.secrets["COMETAPI_KEY"] = {"exists": True, "access": False}
        twice = (
            "for _ in '12':\n  try: cometvid_nb.watch('video_1')\n  except Exception as e: print(e)"
        )
        assert page.run(f"import cometvid_nb\n{twice}").count("no access to the secret") == 2
        assert len(page.asked) == 2
        page.secrets["COMETAPI_KEY"] = {"exists": True, "access": True, "payload": f" {KEY}\n"}
        # A client and no more: no test may reach the real endpoint.
        ask = "from cometvid_nb.session.session import current as c\nc().client(c().settings)\n"
        assert page.run(f"{ask}{ask}print(c().settings.api_key)").strip() == f"••••{KEY[-4:]}"
        assert len(page.asked) == 3
        page.run("os.environ['COMETAPI_KEY'] = 'sk-from-the-environment-9999'")
        assert page.run("print(c().settings.api_key)").strip() == "••••9999"
    finally:
        page.run("%unload_ext cometvid_nb\nos.environ['COMETAPI_BASE_URL'] = base")
        page.run(f"os.environ['COMETAPI_KEY'] = '{KEY}'")


def test_a_headless_watch_on_kaggle_takes_its_secret_and_keeps_the_clip(
    home: Path, simulator: Simulator
) -> None:
    """By nbclient, as `Save & Run All` does; no page of Kaggle loads the file beside a notebook."""
    job_id = simulator.add(Scenario("video_kaggle", **QUICK))
    library = home / "kaggle_secrets.py"
    library.write_text(
        "class UserSecretsClient:\n"
        f"    def get_secret(self, label): return '{KEY}' if label == 'COMETAPI_KEY' else ''\n"
    )
    ask = (
        "import os; from cometvid_nb.session.session import current\n"
        "print(current().platform_key.fill(current().settings).api_key)\n"
        "os.environ['COMETAPI_KEY'] = current().platform_key.known.reveal()\n"
        f"os.environ['COMETAPI_BASE_URL'] = '{simulator.base_url}'"
    )
    cells = ["%load_ext cometvid_nb", ask, f"%cometvid watch {job_id} --interval 0.2"]
    spec = {"name": "python3", "display_name": "Python 3"}
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(
        nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": spec}), home / "k.ipynb"
    )
    done = subprocess.run(
        [PYTHON, "-c", "from nbclient.cli import main; main()", "--inplace", "k.ipynb"],
        cwd=home,
        env=isolated_environ(home)
        | {"KAGGLE_KERNEL_RUN_TYPE": "Batch", "PYTHONPATH": str(home), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    _, key, watched = nbformat.read(home / "k.ipynb", as_version=4).cells
    assert key.outputs[0]["text"].strip() == f"••••{KEY[-4:]}"
    data = watched.outputs[-1]["data"]
    assert WIDGET not in data
    assert clip_in(data["text/html"])
