"""What is asked for is checked before it can cost anything; the rest is the API's to judge."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cometvid_nb
from cometvid_nb.api.images import MOST_IMAGE_BYTES
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import SettingsError
from cometvid_nb.simulator import Simulator

PNG, JPEG = b"\x89PNG\r\n\x1a\n" + bytes(20), b"\xff\xd8\xff\xe0" + bytes(20)
GIF, WEBP = b"GIF89a" + bytes(20), b"RIFF\x10\0\0\0WEBPVP8 " + bytes(20)


def picture(folder: Path, content: bytes, name: str = "comet.png") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def large(folder: Path) -> Path:
    path = picture(folder, PNG)
    with path.open("r+b") as file:
        file.truncate(MOST_IMAGE_BYTES + 1)
    return path


# What is refused, and that nothing is sent.


@pytest.mark.parametrize("prompt", ["", "  ", "\n\t\n", "\u2003"])
def test_an_empty_prompt_is_refused_before_anything_is_sent(
    process_sim: Simulator, prompt: str
) -> None:
    with pytest.raises(SettingsError, match="the prompt is empty"):
        cometvid_nb.create(prompt)
    with pytest.raises(SettingsError, match="the prompt is empty"):
        cometvid_nb.remix("video_demo", prompt)
    assert list(process_sim.requests) == []
    assert cometvid_nb.jobs() == [], "and nothing was meant to be"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"seconds": "soon"}, "seconds is 'soon': give a length such as 4"),
        ({"seconds": ""}, "seconds is ''"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seconds": -4}, "seconds is -4"),
        ({"seconds": "nan"}, "seconds is 'nan'"),
        ({"seconds": math.inf}, "seconds is inf"),
        ({"seconds": 601}, "seconds is 601"),
        ({"size": ""}, "size is ''"),
        ({"size": "16:9\n"}, "sora-2 takes no ratio"),
        ({"size": "16\n:9"}, "no model takes that"),
        ({"size": "0x0"}, "size is '0x0': give WIDTHxHEIGHT in pixels"),
        ({"size": "99999x720"}, "size is '99999x720'"),
        ({"ratio": "0:1"}, "ratio is '0:1'"),
        ({"ratio": "x" * 101}, "no model takes that"),
        ({"resolution": " "}, "resolution is ' '"),
        ({"seed": "one"}, "seed is 'one': give a whole number"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": True}, "seed is True"),
        ({"negative": " "}, "the negative prompt is empty"),
        ({"negative": "\ud83c"}, "the negative prompt contains half a character"),
        ({"fit": "crop"}, "there is no picture to fit"),
        ({"extra": {"seconds": "4"}}, "seconds is not for --set: use --seconds"),
        ({"extra": {"input_reference": "x"}}, "input_reference is not for --set: use --image"),
        ({"extra": {"seed": "4"}, "seed": 3}, "seed is given twice"),
        ({"extra": {"a b": "4"}}, "'a b' is not the name of a field"),
        ({"extra": {"": "4"}}, "'' is not the name of a field"),
        ({"extra": {"x": {1, 2}}}, "x is of type set, which cannot be sent"),
        ({"extra": {"x": math.nan}}, "x is of type float, which cannot be sent"),
        ({"extra": {"x": "\ud83c"}}, "x contains half a character"),
        ({"model": ""}, "'' is not the name of a model"),
        ({"model": "sora\n2"}, "is not the name of a model"),
    ],
)
def test_nonsense_is_refused_with_its_reason_before_anything_is_sent(
    process_sim: Simulator, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(reason)):
        cometvid_nb.create("A comet", **{"model": "sora-2"} | options)
    assert list(process_sim.requests) == []


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("nowhere.png", "nowhere.png cannot be read: No such file"),
        (".", "is not a file: --image takes one picture"),
        ("", "is not a file"),
        ("/dev/null", "/dev/null is not a file"),
        ("comet.png/inside", "cannot be read: Not a directory"),
        ("a\0b.png", "cannot be read"),
        ("~no-such-user/comet.png", "cannot be read"),
    ],
)
def test_an_image_that_cannot_be_read_is_refused_before_anything_is_sent(
    process_sim: Simulator, tmp_path: Path, image: str, reason: str
) -> None:
    picture(tmp_path, PNG)
    with pytest.raises(SettingsError, match=re.escape(reason)):
        cometvid_nb.create("A comet", image=image)
    assert list(process_sim.requests) == []


@pytest.mark.parametrize(
    "content", [b"", b"<svg/>", b"%PDF-1.7", b"RIFF\x10\0\0\0WAVEfmt ", b"\x89P"]
)
def test_what_is_no_picture_is_refused_before_anything_is_sent(
    process_sim: Simulator, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(SettingsError, match="is not a PNG, JPEG, WebP or GIF picture"):
        cometvid_nb.create("A comet", image=picture(tmp_path, content))
    assert list(process_sim.requests) == []


def test_an_image_that_is_too_large_is_refused_by_its_size(
    process_sim: Simulator, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"has 21\.0 MB: a reference image may have 21 MB"):
        cometvid_nb.create("A comet", image=large(tmp_path))
    assert list(process_sim.requests) == []


def test_a_prompt_that_cannot_be_sent_is_refused_in_words(process_sim: Simulator) -> None:
    with pytest.raises(SettingsError, match="half a character"):
        cometvid_nb.create("A comet \ud83c")
    assert list(process_sim.requests) == []


@pytest.mark.parametrize("job_id", ["", "../video", "https://x.example/v", "a b"])
def test_a_remix_of_what_is_no_id_is_refused(process_sim: Simulator, job_id: str) -> None:
    with pytest.raises(SettingsError, match="job id"):
        cometvid_nb.remix(job_id, "At night")
    assert list(process_sim.requests) == []


def test_without_a_key_nothing_is_sent_or_written(
    process_sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMETAPI_KEY")
    monkeypatch.delenv("COMETAPI_BASE_URL")  # only CometAPI itself needs a key
    with pytest.raises(SettingsError, match="No API key"):
        cometvid_nb.create("A comet")
    assert list(process_sim.requests) == []
    assert cometvid_nb.jobs() == []


# What passes.


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=60))
def test_the_name_of_any_model_passes_as_it_is(name: str) -> None:
    assert NewJob.check("A comet", model=name).fields["model"] == name


def test_without_a_model_none_is_sent_and_a_remix_names_none() -> None:
    assert NewJob.check("A comet").fields == {"prompt": "A comet"}
    assert NewJob.check("A comet").model is None
    remixed = NewJob.check("At night", remix_of=" video_1 ", extra={"strength": 0.5})
    assert (remixed.remix_of, remixed.model) == ("video_1", None)
    assert remixed.fields == {"prompt": "At night", "strength": "0.5"}
    with pytest.raises(SettingsError, match="a remix takes only a prompt"):
        NewJob.check("At night", remix_of="video_1", seconds=4)


@pytest.mark.parametrize(
    ("size", "sent"),
    [("1280x720", "1280x720"), (" 720 × 1280 ", "720x1280"), ("960X960", "960x960")],
)
def test_a_size_is_sent_as_the_api_spells_it(size: str, sent: str) -> None:
    assert NewJob.check("A comet", size=size).fields["size"] == sent


@pytest.mark.parametrize(("seconds", "sent"), [(4, "4"), (4.0, "4"), ("8", "8"), (2.5, "2.5")])
def test_seconds_are_sent_as_a_text(seconds: float | str, sent: str) -> None:
    assert NewJob.check("A comet", seconds=seconds).fields["seconds"] == sent


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")],
)
def test_a_picture_is_known_by_its_bytes_not_by_its_name(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    [image] = NewJob.check("A comet", image=picture(tmp_path, content, "x.txt")).images
    assert (image.name, image.content, image.media_type) == ("x.txt", content, kind)
    assert "PNG" not in repr(image), "the bytes are not for the eye"


@given(
    st.text(max_size=30),
    st.one_of(st.none(), st.text(max_size=12), st.floats()),
    st.one_of(st.none(), st.text(max_size=12)),
    st.one_of(st.none(), st.text(max_size=12)),
)
def test_whatever_is_asked_it_is_a_request_or_one_sentence(
    prompt: str, seconds: str | float | None, size: str | None, model: str | None
) -> None:
    try:
        new = NewJob.check(prompt, seconds=seconds, size=size, model=model)
    except SettingsError:
        return
    form = new.fields
    assert form["prompt"] == prompt.strip()
    assert "size" not in form or (form["size"].strip() and form["size"].isprintable())
    assert "seconds" not in form or 0 < float(form["seconds"]) <= 600


# Further fields, and what a program sees.


def test_a_further_field_is_a_text_or_what_json_says() -> None:
    extra = {"camera": "pan", "n": 2, "cfg": 0.5, "loop": True, "tags": ["a", "b"], "off": None}
    fields = NewJob.check("A comet", extra=extra, seed=7, negative=" text ").fields
    assert fields == {
        "prompt": "A comet",
        "seed": "7",
        "negative_prompt": "text",
        "camera": "pan",
        "n": "2",
        "cfg": "0.5",
        "loop": "true",
        "tags": '["a", "b"]',
        "off": "null",
    }


def test_another_prompt_leaves_the_rest_as_it_is(tmp_path: Path) -> None:
    one = NewJob.check("A comet", model="m", image=picture(tmp_path, PNG))
    two = one.with_prompt(" A moon ")
    assert two.fields == {"prompt": "A moon", "model": "m"}
    assert two.images is one.images, "a picture is read once"
    assert len({one, two, NewJob.check("A comet", model="m", image=PNG)}) == 3
    with pytest.raises(SettingsError, match="the prompt is empty"):
        one.with_prompt(" ")


def test_a_dry_run_is_printed_once_and_sends_nothing(
    process_sim: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at = cometvid_nb.create("A\ncomet\x1b[31m", model="veo3.1", ratio="9:16", dry_run=True)
    assert capsys.readouterr().out == "", "whoever prints it would have it twice"
    looked_at._ipython_display_()
    told = capsys.readouterr().out
    assert told == f"{looked_at}\n" == f"{looked_at!r}\n"
    assert told == (
        "Nothing was sent. This would be:\n"
        f"POST {process_sim.base_url}/videos with a multipart form\n"
        "  prompt  A\n"
        "          comet\\x1b[31m\n"
        "  model   veo3.1\n"
        "  size    9x16\n"
        "Cost: not known yet; %cometvid models fetches the prices\n"
    )
    assert "with JSON" in str(cometvid_nb.remix("video_1", "At night", dry_run=True))
    assert list(process_sim.requests) == []
    assert cometvid_nb.jobs() == []


def test_a_program_is_told_how_to_name_a_model_and_then_which_one_was_used_last(
    process_sim: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError, match="No model is named") as caught:
        cometvid_nb.create("A comet")
    assert 'model="NAME"' in str(caught.value.advice)
    assert list(process_sim.requests) == []
    cometvid_nb.create("A comet", model="m/1", wait=False)
    cometvid_nb.create("A comet", wait=False)
    assert "Using the model m/1, as last time. To choose another: --model NAME.\n" in (
        capsys.readouterr().out
    )
    assert [job["model"] for job in cometvid_nb.jobs()] == ["m/1", "m/1"]
