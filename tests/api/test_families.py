"""What is known of a family decides how a request is written, and what is said beforehand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.api.families import FAMILIES, UNKNOWN, family_of, summary
from cometvid_nb.api.new_job import NewJob
from cometvid_nb.errors import SettingsError

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x05\0\0\0\x02\xd0" + bytes(20)  # says 1280x720
MODELS = [model for family in FAMILIES for model in family.models]


def shape(model: str | None, **options: str) -> dict[str, str]:
    """The fields of a request but for prompt and model."""
    fields = NewJob.check("A comet", model=model, **options).fields  # type: ignore[arg-type]
    return {name: text for name, text in fields.items() if name not in ("prompt", "model")}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("sora-2", "Sora"),
        ("openai/sora-2", "Sora"),
        ("azure/openai/Sora-2-2025-10-06", "Sora"),
        ("sora-2-pro", "Sora Pro"),
        ("doubao-seedance-2-0", "Seedance 2.0"),
        ("doubao-seedance-2-0-fast-260128", "Seedance 2.0"),
        ("doubao-seedance-1-5-pro-251215", "Seedance 1.5"),
        ("doubao-seedance-1-0-pro", "Seedance 1.0"),
        ("veo3-fast", "Veo"),
        ("veo3.1", "Veo"),
        ("veo3.1-fast", "Veo"),
        ("wan2.6", "Wan 2.6"),
        ("wan2.7", "Wan 2.7"),
        ("happyhorse-1.0", "HappyHorse"),
        ("viduq3-turbo", "Vidu"),
        ("omni-fast", "Omni"),
    ],
)
def test_a_model_is_known_by_its_id_with_provider_speed_and_date(model: str, name: str) -> None:
    assert family_of(model).name == name


@pytest.mark.parametrize(
    "model",
    [
        "sora-20",
        "sora-3",
        "sora",
        "wan2.6-i2v",
        "wan2.5",
        "veo3.1-frames",
        "x-sora-2",
        "",
        "/",
        None,
    ],
)
def test_what_only_resembles_a_known_model_is_unknown(model: str | None) -> None:
    assert family_of(model) is UNKNOWN
    assert summary(model) == ""


@pytest.mark.parametrize(
    ("model", "options", "expected"),
    [
        ("sora-2", {"size": "1280X720"}, {"size": "1280x720"}),
        ("doubao-seedance-2-0", {"size": "16:9"}, {"size": "16:9"}),
        ("doubao-seedance-2-0", {"size": "9x16"}, {"size": "9:16"}),
        ("doubao-seedance-2-0", {"size": "1248x704"}, {"size": "1248x704"}),
        (
            "doubao-seedance-2-0",
            {"ratio": "21:9", "resolution": "480P"},
            {"size": "21:9", "resolution": "480p"},
        ),
        ("doubao-seedance-2-0", {"size": "720p"}, {"resolution": "720p"}),
        ("veo3.1", {"size": "16:9"}, {"size": "16x9"}),
        ("veo3.1", {"size": "9x16"}, {"size": "9x16"}),
        ("veo3.1", {"ratio": "9:16", "size": "9x16"}, {"size": "9x16"}),
        ("veo3.1", {"ratio": "9:16"}, {"size": "9x16"}),
        ("omni-fast", {"size": "1:1"}, {"aspect_ratio": "1:1"}),
        (
            "omni-fast",
            {"ratio": "9x16", "size": "1080p"},
            {"aspect_ratio": "9:16", "resolution": "1080p"},
        ),
        ("wan2.6", {"size": "1088 × 832"}, {"size": "1088x832"}),
        ("new", {"size": "16:9"}, {"size": "16:9"}),
        ("new", {"size": "16x9"}, {"size": "16x9"}),
        ("new", {"size": "large"}, {"size": "large"}),
        ("new", {"size": "720P"}, {"size": "720P"}),
        ("new", {"ratio": "16x9"}, {"aspect_ratio": "16:9"}),
        (
            "new",
            {"ratio": "auto", "resolution": "4K"},
            {"aspect_ratio": "auto", "resolution": "4k"},
        ),
        (None, {"size": "1280*720"}, {"size": "1280x720"}),
    ],
)
def test_each_family_gets_the_shape_in_the_words_that_it_reads(
    model: str | None, options: dict[str, str], expected: dict[str, str]
) -> None:
    assert shape(model, **options) == expected


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        ("sora-2", {"size": "16:9"}, "sora-2 takes no ratio: for 16:9 give size 1280x720."),
        ("sora-2", {"ratio": "1:1"}, "takes no ratio: size may be 1280x720 or 720x1280."),
        ("sora-2", {"size": "720p"}, "takes no resolution: for 720p give size 1280x720 or"),
        ("sora-2", {"size": "1792x1024"}, "takes no size 1792x1024: size may be 1280x720"),
        ("sora-2", {"seconds": "5"}, "no clip of 5 s: seconds may be 4, 8, 12, 16 or 20."),
        ("sora-2", {"image": [PNG, PNG]}, "sora-2 takes 1 picture, not 2."),
        ("doubao-seedance-2-0", {"seconds": 3}, "no clip of 3 s: seconds may be 4 to 15."),
        ("doubao-seedance-2-0", {"resolution": "1080p"}, "resolution may be 480p or 720p."),
        ("doubao-seedance-2-0", {"first_frame": PNG, "last_frame": PNG}, "takes no last frame"),
        ("doubao-seedance-1-5-pro", {"image": PNG}, "takes no picture."),
        ("veo3.1", {"size": "1920x1080"}, "no size in pixels: for 1920x1080 give ratio 16:9."),
        ("veo3.1", {"size": "1:1"}, "takes no ratio 1:1: ratio may be 16:9 or 9:16."),
        ("veo3.1", {"seconds": 4.5}, "veo3.1 makes no clip of 4.5 s: seconds may be 8."),
        ("veo3.1", {"image": [PNG] * 3}, "takes 2 pictures, the first frame and the last one"),
        ("wan2.6", {"image": PNG}, "wan2.6 takes no picture."),
        ("wan2.7", {"size": "1088x832"}, "wan2.7 takes no size 1088x832"),
        ("wan2.6", {"size": "4:3"}, "for 4:3 give size 1088x832 or 1632x1248."),
        ("viduq3", {"size": "720x1280"}, "viduq3 takes no size 720x1280"),
        ("omni-fast", {"size": "1080x1920"}, "give ratio 9:16 and resolution 1080p."),
    ],
)
def test_what_a_family_refuses_is_said_with_what_it_takes_and_force_sends_it(
    model: str, options: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        NewJob.check("A comet", model=model, **options)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert "--force" in (caught.value.advice or "")
    forced = NewJob.check("A comet", model=model, force=True, fit=None, **options)  # type: ignore[arg-type]
    assert len(forced.fields) + len(forced.images) > 2
    unknown = NewJob.check("A comet", model="another", **options)  # type: ignore[arg-type]
    assert len(unknown.fields) + len(unknown.images) > 2, "the list is no gate"


def test_all_that_is_refused_is_said_at_once() -> None:
    with pytest.raises(SettingsError, match=r"no ratio.* no clip of 3 s.* no picture") as caught:
        NewJob.check("A comet", model="wan2.6", seconds=3, ratio="16:9", image="nowhere.png")
    assert "nowhere" not in str(caught.value), "what is not taken need not be read"


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("veo3.1", {"size": "16:9", "ratio": "9:16"}),
        ("doubao-seedance-2-0", {"size": "1280x720", "ratio": "16:9"}),
        ("omni-fast", {"size": "720p", "resolution": "1080p"}),
    ],
)
def test_two_answers_to_one_question_are_refused_even_by_force(
    model: str, options: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match="give one"):
        NewJob.check("A comet", model=model, force=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", MODELS)
def test_all_that_the_table_names_goes_through(model: str) -> None:
    family = family_of(model)
    for seconds in family.seconds or ():
        assert shape(model, seconds=str(seconds)) == {"seconds": str(seconds)}
    for size in family.sizes or ():
        assert shape(model, size=size) == {"size": size}
    for ratio in family.ratios or ():
        written = ratio.replace(":", family.ratio_sign)
        for given_ in (ratio, ratio.replace(":", "x")):
            assert shape(model, ratio=given_) == shape(model, size=given_)
            assert shape(model, ratio=given_) == {family.ratio_field: written}
    for resolution in family.resolutions or ():
        assert shape(model, resolution=resolution) == {"resolution": resolution}
    assert "picture" in summary(model)


@given(
    st.sampled_from([*MODELS, "unknown", None]),
    st.dictionaries(
        st.sampled_from(["size", "ratio", "resolution", "seconds", "seed", "negative"]),
        st.one_of(
            st.text(max_size=12), st.from_regex(r"\d{1,5}[x:]\d{1,5}|\d{3,4}p", fullmatch=True)
        ),
    ),
    st.booleans(),
)
def test_whatever_is_asked_of_whom_it_is_a_form_or_one_sentence(
    model: str | None, options: dict[str, str], force: bool
) -> None:
    try:
        new = NewJob.check("A comet", model=model, force=force, **options)  # type: ignore[arg-type]
    except SettingsError:
        return
    assert all(text.strip() == text != "" for text in new.fields.values())
