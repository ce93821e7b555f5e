"""PlatformKey: the API key that Colab or Kaggle keeps for a person among their secrets."""

from __future__ import annotations

import importlib
import os
import threading
from dataclasses import replace
from typing import Any

from ..display.frontend import Frontend, detect, is_colab, is_kaggle
from ..errors import MissingKey, SettingsError
from ..notebook import shell
from ..settings import KEY_VARIABLES, Secret, Settings, check_key

NAME = KEY_VARIABLES[0]
"""The secret has the name that the variable of the environment has."""

_COLAB = (
    f"In Colab, click the key icon (Secrets) in the left side bar, add {NAME} there, switch on "
    '"Notebook access", and run the cell again. Or run %cometvid login. '
    "No key? %cometvid demo needs none."
)
_KAGGLE = (
    f"On Kaggle, open the menu Add-ons, Secrets, add {NAME} there with a check mark at this "
    "notebook, and run the cell again. Or run %cometvid login. No key? %cometvid demo needs none."
)
# By the names of their errors, which are not on PyPI.
_REASONS = {
    "NotebookAccessError": f"this notebook has no access to the secret {NAME}",
    "SecretNotFoundError": f"there is no secret {NAME}",
    "TimeoutException": f"Colab has not answered when asked for the secret {NAME}",
    "ConnectionError": f"Kaggle could not be asked for the secret {NAME}: is its internet on?",
}


class PlatformKey:
    """The key among the secrets of Colab or Kaggle, asked for when it is needed.

    The page asks the person, so that it is asked once a cell at most, and never again once it is
    known. Elsewhere there is none.
    """

    def __init__(self) -> None:
        self.known: Secret | None = None
        self._refused: tuple[str, MissingKey] | None = None
        """The run of the cell that asked last in vain, and why."""

    def fill(self, settings: Settings) -> Settings:
        """Return `settings` with this key, if they need one and have none.

        Raises:
            MissingKey: there is none, or none that this notebook may read.
            SettingsError: the settings cannot be used.
        """
        if settings.needs_key and settings.api_key is None and (key := self._key()) is not None:
            settings = replace(settings, api_key=key)
        settings.check_api()
        return settings

    def _key(self) -> Secret | None:
        """Return the key, None where nobody keeps one. Raises `MissingKey`: it cannot be had."""
        if self.known is not None or (run := _cell_run()) is None:
            return self.known
        if self._refused is None or self._refused[0] != run:
            try:
                self.known = _ask()
            except MissingKey as error:
                self._refused = run, error
        if self.known is None and self._refused is not None:
            raise self._refused[1]
        return self.known


def _cell_run() -> str | None:
    """Return what tells this run of a cell from others; None where nobody can be asked.

    Colab's answer is read by the thread of the cell, and from a page only.
    """
    here = shell()
    if not (is_colab(here) or is_kaggle(os.environ)):
        return None
    if threading.current_thread() is not threading.main_thread():
        return None
    if is_colab(here) and detect(here, os.environ) == Frontend.HEADLESS:
        return None
    try:
        header = here.get_parent()["header"]
    except (AttributeError, LookupError, TypeError):
        return None
    return str(header.get("msg_id")) if header.get("msg_type") == "execute_request" else None


def _ask() -> Secret | None:
    """Return the key of the platform, None where its library is missing.

    Raises:
        MissingKey: there is none, or this notebook may not read it.
    """
    advice = _KAGGLE if is_kaggle(os.environ) else _COLAB
    try:
        return check_key(_read())
    except ImportError:
        return None
    except SettingsError as error:
        raise MissingKey(f"The secret {NAME} cannot be used: {error}.", advice=advice) from None
    except Exception as error:  # noqa: BLE001 - their own kinds, and whatever else is no key
        # Neither its text nor its chain: what somebody else's library says may hold a secret.
        reason = _REASONS.get(type(error).__name__, f"the secret {NAME} could not be read")
        raise MissingKey(f"No API key is set: {reason}.", advice=advice) from None


def _read() -> str:
    if is_kaggle(os.environ):
        kaggle: Any = importlib.import_module("kaggle_secrets")
        return str(kaggle.UserSecretsClient().get_secret(NAME) or "")
    colab: Any = importlib.import_module("google.colab.userdata")
    return str(colab.get(NAME) or "")
