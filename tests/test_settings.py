"""Settings come from the right place, make sense, and never show the key."""

from __future__ import annotations

import copy
import pickle
import traceback
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometvid_nb.errors import MissingKey, SettingsError
from cometvid_nb.settings import (
    DEFAULT_BASE_URL,
    Secret,
    Settings,
    check_key,
    origin_of,
)
from tests.simulated import KEY
from tests.strategies import json_values, texts


def test_the_environment_gives_key_and_address() -> None:
    settings = Settings.from_environ(
        {"COMETAPI_KEY": KEY, "COMETAPI_BASE_URL": "https://gateway.example/v1/"}
    )
    assert settings.api_key == Secret(KEY)
    assert settings.base_url == "https://gateway.example/v1"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environ({}) == Settings()
    assert (Settings().api_key, Settings().base_url) == (None, DEFAULT_BASE_URL)


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"COMETAPI_KEY": f"\ufeff {KEY}\r\n"}, KEY),
        ({"COMETAPI_API_KEY": KEY}, KEY),
        ({"COMETAPI_KEY": KEY, "COMETAPI_API_KEY": "other"}, KEY),
        ({"COMETAPI_KEY": "  ", "COMETAPI_API_KEY": KEY}, KEY),
        ({"COMETAPI_KEY": " \ufeff "}, None),
        ({"COMET_API_KEY": "of-another-product"}, None),
    ],
)
def test_the_key_is_read_from_its_names_only(environ: dict[str, str], key: str | None) -> None:
    assert Settings.from_environ(environ).api_key == (Secret(key) if key else None)


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"COMETAPI_BASE_URL": "http://10.0.0.5:4000/v1"}, "no TLS"),
        ({"COMETAPI_BASE_URL": "nonsense"}, "not a web address"),
        ({"COMETAPI_BASE_URL": "/"}, "not a web address"),
        ({"COMETAPI_BASE_URL": "https://[bad/v1"}, "cannot be read"),
        ({"COMETAPI_BASE_URL": "https://host:99999/v1"}, "cannot be read"),
        ({"COMETAPI_BASE_URL": "https://host\\.localhost/v1"}, "characters that no address has"),
        ({"COMETAPI_BASE_URL": "https://a\tb/v1"}, "characters that no address has"),
        ({"COMETAPI_BASE_URL": "http://a/v1", "COMETAPI_ALLOW_HTTP": "perhaps"}, "no TLS"),
        ({"COMETAPI_KEY": "sk with space"}, "copy it again"),
        ({"COMETAPI_KEY": "sk-ключ"}, "copy it again"),
    ],
)
def test_what_the_environment_says_wrong_stops_only_what_asks_the_api(
    environ: dict[str, str], fault: str
) -> None:
    settings = Settings.from_environ({"COMETAPI_KEY": KEY} | environ)
    assert settings.changed(save="off", allow_http="off").save is False
    with pytest.raises(SettingsError, match=fault) as caught:
        settings.check_api()
    assert next(iter(environ)) in str(caught.value.advice)
    assert environ.get("COMETAPI_KEY", KEY) not in str(caught.value)
    settings.changed(base_url=DEFAULT_BASE_URL, api_key=KEY).check_api()


@pytest.mark.parametrize("name", ["https://me:hunter2@host/v1", "me:hunter2@[bad", "//:hunter2@x"])
def test_a_password_in_the_address_of_the_environment_is_shown_nowhere(name: str) -> None:
    settings = Settings.from_environ({"COMETAPI_BASE_URL": name})
    with pytest.raises(SettingsError, match="user name or password") as caught:
        settings.check_api()
    assert "hunter2" not in f"{settings} {caught.value} {caught.value.advice}"


def test_the_environment_may_allow_http() -> None:
    environ = {"COMETAPI_BASE_URL": "http://10.0.0.5:4000/v1", "COMETAPI_ALLOW_HTTP": " On "}
    settings = Settings.from_environ(environ)
    settings.check_api()
    assert settings.allow_http
    with pytest.raises(SettingsError, match="no TLS"):
        settings.changed(allow_http="off")


@pytest.mark.parametrize(
    ("base_url", "needs_key"),
    [
        (DEFAULT_BASE_URL, True),
        ("https://API.cometapi.com.:443/v1", True),
        ("https://cometapi.com/v1", True),
        ("https://cometapi.com.example/v1", False),
        ("https://notcometapi.com/v1", False),
        ("http://localhost:8000/v1", False),
        ("https://[bad", False),
    ],
)
def test_only_cometapi_needs_a_key(base_url: str, needs_key: bool) -> None:
    settings = Settings(base_url=base_url)
    assert settings.needs_key is needs_key
    if needs_key:
        with pytest.raises(MissingKey):
            settings.check_api()


def test_a_blank_address_in_the_environment_counts_as_missing() -> None:
    assert Settings.from_environ({"COMETAPI_BASE_URL": " "}).base_url == DEFAULT_BASE_URL


@pytest.mark.parametrize(
    "key", ["", " \n", "sk with space", "sk-ключ", "sk\nInjected: 1", "a\x00b"]
)
def test_a_key_that_cannot_travel_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_key(key)
    assert not key.strip() or key.strip() not in str(caught.value)


def test_the_key_shows_itself_to_nobody() -> None:
    settings = Settings(api_key=Secret(KEY))
    secret = settings.api_key
    shown = [
        repr(settings),
        str(settings),
        repr(secret),
        f"{secret}",
        f"{secret!s:>40}",
        "{}".format(secret),  # noqa: UP032
    ]

    assert all(KEY not in text and KEY[:-4] not in text for text in shown)
    assert KEY[-4:] not in repr(Secret(f"short-{KEY[-4:]}")), "4 of 10 characters would be too many"
    for copier in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            copier(secret)
    with pytest.raises(TypeError):
        asdict(settings)


def test_the_key_is_in_no_traceback_that_prints_local_variables() -> None:
    settings = Settings(api_key=Secret(KEY))
    with pytest.raises(SettingsError) as caught:
        settings.changed(timeout_s="soon")
    formatted = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told = "".join(formatted.format())
    assert "timeout_s" in told
    assert KEY not in told


def test_a_change_gives_a_copy_and_keeps_the_rest() -> None:
    before = Settings(api_key=Secret(KEY))
    after = before.changed(timeout_s="90", save="off", save_dir=" clips ")
    assert (after.timeout_s, after.save, after.save_dir) == (90.0, False, "clips")
    assert after.api_key is before.api_key
    assert before.timeout_s == 3600


@pytest.mark.parametrize(
    ("word", "is_on"),
    [("on", True), ("True", True), ("yes", True), ("1", True), ("OFF", False), ("no", False)],
)
def test_a_switch_understands_the_usual_words(word: str, is_on: bool) -> None:
    assert Settings().changed(save=word).save is is_on


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("timeout", 5, "no setting 'timeout'"),
        ("timeout_s", 0, "1 to 604800"),
        ("timeout_s", "nan", "number of seconds"),
        ("timeout_s", 10**400, "number of seconds"),
        ("timeout_s", None, "number of seconds"),
        ("timeout_s", True, "number of seconds"),
        ("interval_s", 0.01, "0.2 to 3600"),
        ("interval_s", -1, "0.2 to 3600"),
        ("save", "perhaps", "on or off"),
        ("save_dir", " ", "save_dir is empty"),
        ("save_dir", "a\0b", "save_dir"),
        ("save_dir", 7, "give text"),
        ("api_key", 7, "not a text"),
        ("model", "sora 2", "one word"),
        ("model", "a\x1bb", "one word"),
        ("model", "x" * 201, "one word"),
        ("base_url", "api.cometapi.com", "not a web address"),
        ("base_url", "ftp://api.cometapi.com", "not a web address"),
        ("base_url", "https://", "not a web address"),
        ("base_url", "https://[bad/v1", "cannot be read"),
        ("base_url", "https://host:99999999/v1", "cannot be read"),
        ("base_url", "https://user:pass@host/v1", "user name or password"),
        ("base_url", "https://host/v1?x=1", r"\? or #"),
        ("base_url", "http://gateway.example/v1", "no TLS"),
    ],
)
def test_a_senseless_value_is_refused_with_the_reason(
    name: str, value: object, reason: str
) -> None:
    with pytest.raises(SettingsError, match=reason):
        Settings().changed(**{name: value})


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings().changed(base_url="https://user:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.9.9.9", "[0::1]", "api.localhost", "127.1"])
def test_plain_http_is_fine_on_this_machine(host: str) -> None:
    assert Settings().changed(base_url=f"http://{host}:8000/v1").base_url.startswith("http://")


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "localhost.example", "127.0.0.1.example"])
def test_another_machine_needs_tls_or_a_clear_word(host: str) -> None:
    url = f"http://{host}/v1"
    with pytest.raises(SettingsError, match="no TLS"):
        Settings().changed(base_url=url)
    assert Settings().changed(base_url=url, allow_http="on").base_url == url


def test_the_interval_zero_means_automatic() -> None:
    assert Settings().changed(interval_s=0).interval_s == 0


def test_the_folder_of_a_user_there_is_not_is_told() -> None:
    with pytest.raises(SettingsError, match="save_dir"):
        _ = Settings(save_dir="~no-such-user-here/clips").save_folder
    assert Settings(save_dir="~/clips").save_folder == Path.home() / "clips"


def test_every_setting_explains_itself() -> None:
    assert all(field.metadata["help"] for field in fields(Settings))


@given(st.sampled_from([field.name for field in fields(Settings)]), st.one_of(json_values, texts))
def test_any_value_is_taken_or_refused_in_our_words(name: str, value: object) -> None:
    changed, refusal = Settings(), ""
    try:
        changed = changed.changed(**{name: value})
    except SettingsError as error:
        refusal = str(error)

    assert changed == Settings() if refusal else True
    assert 1 <= changed.timeout_s <= 7 * 86400
    assert changed.interval_s == 0 or 0.2 <= changed.interval_s <= 3600
    assert changed.origin[0] in ("http", "https")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example/v1", ("https", "api.example", 443)),
        ("http://a:8080/x", ("http", "a", 8080)),
        ("http://a", ("http", "a", 80)),
        ("HTTPS://a:443", ("https", "a", 443)),
    ],
)
def test_an_origin_fills_in_the_default_port(url: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(url) == origin


def test_a_setting_that_is_misspelled_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingsError, match=r"Did you mean timeout_s\?"):
        Settings().changed(timout_s=3)


@pytest.mark.parametrize("text", ["sk-0123456789ab", "EMPTY", "completed", "inprogressing"])
def test_a_key_is_hidden_in_what_a_server_repeats(text: str) -> None:
    told = Secret(text).hidden_in(f'{{"error": "Bearer {text} is unknown"}}'.encode()).decode()
    assert told == '{"error": "Bearer •••• is unknown"}'


def test_a_key_that_is_a_word_spoils_no_answer() -> None:
    answer = b'{"status": "completed", "id": "sk-0123456789ab"}'
    assert Secret("completed").hidden_in(answer) == answer
    assert b"sk-" not in Secret("sk-0123456789ab").hidden_in(answer)
