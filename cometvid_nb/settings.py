"""Settings: the options of a session, from (strongest first) code, the environment, defaults."""

from __future__ import annotations

import difflib
import ipaddress
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import SettingsError

DEFAULT_BASE_URL = "https://api.cometapi.com/v1"
KEY_VARIABLES = ("COMETAPI_KEY", "COMETAPI_API_KEY")
"""The official name and its common alias, in this order.

COMET_API_KEY belongs to another product, so it is never read. The worker's environment lacks both.
"""
BASE_URL_VARIABLE = "COMETAPI_BASE_URL"


class Secret:
    """A text that stays out of reprs, logs, tracebacks and pickles."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; the Authorization header needs it, and the worker's pipe."""
        return self._text

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

    `help` in a field's metadata describes it in `%cometvid config`, `%config Cometvid` and the
    README; `tests/product/test_docs.py` compares them.
    """

    api_key: Secret | None = field(
        default=None, metadata={"help": "the API key (set it with %cometvid login)"}
    )
    base_url: str = field(
        default=DEFAULT_BASE_URL, metadata={"help": "where the API lives, up to and with /v1"}
    )
    timeout_s: float = field(
        default=3600.0, metadata={"help": "give up watching a job after this many seconds"}
    )
    interval_s: float = field(
        default=0.0, metadata={"help": "fixed seconds between polls; 0 = choose well by itself"}
    )
    save: bool = field(
        default=True, metadata={"help": "save the clip when a watched job completes"}
    )
    save_dir: str = field(
        default="videos",
        metadata={"help": "the folder clips are saved to; relative = beside the notebook"},
    )
    ledger: str = field(
        default="on",
        metadata={"help": "the ledger of jobs: on, off, or a file to keep it in"},
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
        if not self.ledger or "\0" in self.ledger:
            raise SettingsError("ledger is empty: give on, off, or a file")
        _check_base_url(self.base_url, self.allow_http)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Return the defaults, with the key and the base URL of the environment.

        Raises:
            SettingsError: the base URL in the environment cannot be used.
        """
        key = next((text for name in KEY_VARIABLES if (text := clean(environ.get(name)))), None)
        base_url = clean(environ.get(BASE_URL_VARIABLE)) or DEFAULT_BASE_URL
        return cls(api_key=check_key(key) if key else None, base_url=base_url.rstrip("/"))

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
        return replace(self, **values)

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
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError("the API key holds spaces or characters no key has: copy it anew")
    return Secret(key)


def origin_of(url: str) -> tuple[str, str, int]:
    """Return (scheme, host, port) of a web address, in lower case, the default port filled in.

    Raises:
        ValueError: the address has a malformed host or port.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, so that plain http crosses no network."""
    # RFC 6761 §6.3 keeps these names for the machine itself.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_base_url(url: str, allow_http: bool) -> None:
    try:
        scheme, host, _ = origin_of(url)
        parts = urlsplit(url)
    except ValueError as error:
        raise SettingsError(f"base_url {url!r} cannot be read: {error}") from None
    if scheme not in ("http", "https") or not host:
        raise SettingsError(f"base_url {url!r} is no web address: it reads like {DEFAULT_BASE_URL}")
    if parts.username or parts.password:
        raise SettingsError(
            "base_url holds a user name or password: give the key by %cometvid login"
        )
    if parts.query or parts.fragment:
        raise SettingsError(f"base_url {url!r} holds a ? or #: it reads like {DEFAULT_BASE_URL}")
    if scheme == "http" and not is_loopback(host) and not allow_http:
        raise SettingsError(
            f"base_url {url!r} has no TLS, so the key would cross the network in the clear: "
            "use https, or set allow_http=on as well if you mean it"
        )


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
    if word in ("on", "true", "yes", "1"):
        return True
    if word in ("off", "false", "no", "0"):
        return False
    raise SettingsError(f"{name} is {value!r}: give on or off")


def _parse_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} is {value!r}: give a text")
    return clean(value)


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
    "timeout_s": _parse_number,
    "interval_s": _parse_number,
    "save": _parse_switch,
    "save_dir": _parse_text,
    "ledger": _parse_text,
    "allow_http": _parse_switch,
    "is_simulated": _parse_switch,
}
