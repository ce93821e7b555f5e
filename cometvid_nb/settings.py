"""Settings: the options of a session, from (strongest first) code, the environment, defaults."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import MissingKey, SettingsError
from .job.naming import check_template
from .machine import is_this_machine

DEFAULT_BASE_URL = "https://api.cometapi.com/v1"
KEY_VARIABLES = ("COMETAPI_KEY", "COMETAPI_API_KEY")
"""The official name and its common alias, in this order.

COMET_API_KEY belongs to another product, so it is never read. The worker's environment lacks both.
"""
BASE_URL_VARIABLE = "COMETAPI_BASE_URL"
ALLOW_HTTP_VARIABLE = "COMETAPI_ALLOW_HTTP"

RERUNS = ("show", "make")
"""What a cell does that has created its jobs already: show them, or make new ones."""
_ON = ("on", "true", "yes", "1")
_NO_KEY = "the API key contains spaces or characters that no key has: copy it again"
_CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@|^[^/?#]*@")
"""A user name and password before the host, also where the address is malformed."""
_HIDDEN = "••••".encode()


class Secret:
    """A text that stays out of reprs, logs, tracebacks and pickles."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; the Authorization header needs it, and the worker's pipe."""
        return self._text

    def hidden_in(self, answer: bytes) -> bytes:
        """Return `answer` without this text, which servers repeat when they list what was sent.

        A short one, or one of small letters alone ("empty", "completed"), may be a word of the
        answer itself; it goes only where it stands after "Bearer".
        """
        text = self._text.encode()
        if text not in answer:
            return answer
        answer = answer.replace(b"Bearer " + text, b"Bearer " + _HIDDEN)
        is_word = len(text) < 12 or (self._text.isalpha() and self._text.islower())
        return answer if is_word else answer.replace(text, _HIDDEN)

    def __repr__(self) -> str:
        # Four characters let a reader tell two keys apart; of a short key they would be too much.
        return f"••••{self._text[-4:]}" if len(self._text) >= 20 else "••••"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret cannot be pickled or copied")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a session; immutable, so a running watch keeps those it began with.

    A key or `base_url` of the environment may be one that cannot be used: `check_api` tells, and
    whatever needs no API works.

    `help` in a field's metadata describes it in `%cometvid config`, `%config Cometvid` and in
    docs/settings.md; `tests/product/test_docs.py` compares them.
    """

    api_key: Secret | None = field(
        default=None, metadata={"help": "the API key (set it with %cometvid login)"}
    )
    base_url: str = field(
        default=DEFAULT_BASE_URL,
        metadata={"help": "the address of the API, up to and including /v1"},
    )
    model: str = field(
        default="", metadata={"help": "the model for new jobs; empty = the one used last"}
    )
    timeout_s: float = field(
        default=3600.0, metadata={"help": "stop watching a job after this many seconds"}
    )
    interval_s: float = field(
        default=0.0, metadata={"help": "seconds between checks; 0 = chosen automatically"}
    )
    save: bool = field(
        default=True, metadata={"help": "save the clip when a watched job completes"}
    )
    save_dir: str = field(
        default="videos",
        metadata={"help": "the folder for clips; a relative path starts beside the notebook"},
    )
    name_template: str = field(
        default="",
        metadata={"help": "how clips are named, such as {date}-{prompt:40}-{take}; empty = ID.mp4"},
    )
    recipe: bool = field(
        default=True,
        metadata={"help": "write how each clip was made beside it, as a .json of the same name"},
    )
    ledger: str = field(
        default="on",
        metadata={"help": "where jobs are remembered: on, off, or the path of a file"},
    )
    rerun: str = field(
        default="show",
        metadata={
            "help": "a cell that created its jobs already, run again: show them, or make new"
        },
    )
    allow_http: bool = field(
        default=False, metadata={"help": "accept a base_url without TLS on another machine"}
    )
    is_simulated: bool = field(
        default=False, metadata={"help": "the API is the simulator of %cometvid demo"}
    )

    def __post_init__(self) -> None:
        # Bounded, so that every watch ends.
        if not 1 <= self.timeout_s <= 7 * 86400:
            raise SettingsError(f"timeout_s is {self.timeout_s:g}: give 1 to 604800 seconds")
        if self.interval_s and not 0.2 <= self.interval_s <= 3600:
            raise SettingsError(
                f"interval_s is {self.interval_s:g}: give 0.2 to 3600 seconds, or 0 for automatic"
            )
        # Every call of the operating system raises ValueError for a NUL in a path.
        if not self.save_dir.strip() or "\0" in self.save_dir:
            raise SettingsError("save_dir is empty: give a folder, or save=off to save nothing")
        try:
            check_template(self.name_template)
        except ValueError as error:
            raise SettingsError(f"name_template cannot be used: {error}") from None
        if self.rerun not in RERUNS:
            raise SettingsError(f"rerun is {self.rerun!r}: give {' or '.join(RERUNS)}")
        if not self.ledger or "\0" in self.ledger:
            raise SettingsError("ledger is empty: give on, off, or a file")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], kept: Secret | None = None) -> Settings:
        """Return the defaults, with the key, the base URL and `allow_http` of the environment.

        `kept` is the key where the environment has none: Colab or Kaggle keeps it for CometAPI.

        Nothing there is refused here, as the settings must be shown and mended all the same.
        """
        key = next((text for name in KEY_VARIABLES if (text := clean(environ.get(name)))), None)
        given = clean(environ.get(BASE_URL_VARIABLE)) or DEFAULT_BASE_URL
        base_url = given.rstrip("/") or given
        allow_http = clean(environ.get(ALLOW_HTTP_VARIABLE)).lower() in _ON
        # A password in the address would otherwise be shown with the settings.
        base_url = _CREDENTIALS.sub("•••@", base_url, count=1)
        settings = cls(Secret(key) if key else None, base_url, allow_http=allow_http)
        is_wanted = key is None and kept is not None and settings.needs_key
        return replace(settings, api_key=kept) if is_wanted else settings

    def changed(self, **changes: object) -> Settings:
        """Return a copy with other values; a text is parsed to the type of its setting.

        Raises:
            SettingsError: there is no such setting, or the value is out of range.
        """
        known = {f.name: f for f in fields(self)}
        values: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                meant = f" Did you mean {near[0]}?" if near else ""
                raise SettingsError(
                    f"there is no setting {name!r}.{meant} There are: {', '.join(known)}"
                )
            values[name] = _PARSERS[name](name, value)
        changed = replace(self, **values)
        # What the environment has brought may be mended by a second change: see `check_api`.
        is_checked = "base_url" in changes or not _fault_of(self.base_url, self.allow_http)
        if is_checked and (fault := _fault_of(changed.base_url, changed.allow_http)):
            raise SettingsError(fault)
        return changed

    def check_base_url(self) -> None:
        """Check that the API has an address that can be asked.

        Raises:
            SettingsError: the base URL, as the environment gives it, cannot be used.
        """
        if fault := _fault_of(self.base_url, self.allow_http):
            advice = (
                f"Set another one with %cometvid config base_url=… or with {BASE_URL_VARIABLE}."
            )
            raise SettingsError(fault, advice=advice)

    def check_api(self) -> None:
        """Check that the API can be asked after jobs.

        Raises:
            MissingKey: it needs a key, and none is set.
            SettingsError: the base URL or the key, as the environment gives it, cannot be used.
        """
        self.check_base_url()
        if self.api_key is not None and not _is_sendable(self.api_key.reveal()):
            raise SettingsError(_NO_KEY, advice=f"Run %cometvid login, or set {KEY_VARIABLES[0]}.")
        if self.needs_key and self.api_key is None:
            raise MissingKey

    @property
    def needs_key(self) -> bool:
        """Whether the API cannot be asked without a key: CometAPI, not a server of one's own."""
        try:
            host = self.origin[1].removesuffix(".")
        except ValueError:
            return False
        return host == "cometapi.com" or host.endswith(".cometapi.com")

    @property
    def origin(self) -> tuple[str, str, int]:
        """(scheme, host, port) of `base_url`: the only place that gets the key."""
        return origin_of(self.base_url)

    @property
    def save_folder(self) -> Path:
        """The folder for clips, `~` expanded; relative means beside the notebook.

        Raises:
            SettingsError: `save_dir` names the home of an unknown user.
        """
        try:
            return Path(self.save_dir).expanduser()
        except RuntimeError as error:
            raise SettingsError(f"save_dir {self.save_dir!r} cannot be found: {error}") from None


def clean(text: str | None) -> str:
    """Return `text` without the white space and byte-order mark that copying leaves; None: ""."""
    return (text or "").strip().strip("\ufeff").strip()


def check_key(text: str) -> Secret:
    """Return `text` as an API key.

    Raises:
        SettingsError: an HTTP header cannot carry the text. The message does not repeat it.
    """
    key = clean(text)
    if not key:
        raise SettingsError("the API key is empty")
    if not _is_sendable(key):
        raise SettingsError(_NO_KEY)
    return Secret(key)


def _is_sendable(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key


def origin_of(url: str) -> tuple[str, str, int]:
    """Return (scheme, host, port) of a web address, in lower case, the default port filled in.

    Raises:
        ValueError: the address has a malformed host or port.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def _fault_of(url: str, allow_http: bool) -> str:
    """Return why `url` cannot be a base URL; "" if it can."""
    if _CREDENTIALS.search(url):
        return "base_url contains a user name or password: give the key with %cometvid login"
    shown = repr(url[:200])
    try:
        scheme, host, _ = origin_of(url)
        parts = urlsplit(url)
    except ValueError as error:
        return f"base_url {shown} cannot be read: {error}"
    if scheme not in ("http", "https") or not host:
        return f"base_url {shown} is not a web address such as {DEFAULT_BASE_URL}"
    if any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in url):
        return f"base_url {shown} contains characters that no address has: copy it again"
    if parts.query or parts.fragment:
        return f"base_url {shown} contains a ? or #: it should look like {DEFAULT_BASE_URL}"
    if scheme == "http" and not is_this_machine(host) and not allow_http:
        return (
            f"base_url {shown} has no TLS, so anybody on the network could read the key: use "
            f"https, or set allow_http=on as well if you mean it ({ALLOW_HTTP_VARIABLE}=on)"
        )
    return ""


def _parse_number(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # a refusal becomes a SettingsError below
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise SettingsError(f"{name} is {value!r}: give a number of seconds")
    return number


def _parse_switch(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = clean(value).lower() if isinstance(value, str) else ""
    if word in _ON:
        return True
    if word in ("off", "false", "no", "0"):
        return False
    raise SettingsError(f"{name} is {value!r}: give on or off")


def _parse_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} is {value!r}: give text")
    return clean(value)


def _parse_model(name: str, value: object) -> str:
    model = _parse_text(name, value)
    if len(model) > 200 or any(sign.isspace() or not sign.isprintable() for sign in model):
        raise SettingsError(
            f"model is {model[:60]!r}: the name of a model is one word; see %cometvid models"
        )
    return model


def _parse_base_url(name: str, value: object) -> str:
    return _parse_text(name, value).rstrip("/")


def _parse_key(_: str, value: object) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise SettingsError("the API key is not a text")
    return check_key(value)


_PARSERS: dict[str, Callable[[str, object], Any]] = {
    "api_key": _parse_key,
    "base_url": _parse_base_url,
    "model": _parse_model,
    "timeout_s": _parse_number,
    "interval_s": _parse_number,
    "save": _parse_switch,
    "save_dir": _parse_text,
    "name_template": _parse_text,
    "recipe": _parse_switch,
    "ledger": _parse_text,
    "rerun": _parse_text,
    "allow_http": _parse_switch,
    "is_simulated": _parse_switch,
}
