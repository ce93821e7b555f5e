"""The public client: the API's own, with the settings of this kernel."""

from __future__ import annotations

from ..api import client
from ..settings import Settings
from .session import current


class Client(client.Client):
    """The API, asynchronously: `async with Client() as client: job = await client.retrieve(id)`.

    Without `settings` it is asked as all else in this kernel is: with what `%cometvid login`,
    `config` and `demo` have said, or else the environment. A client belongs to the event loop it
    is first used in.

    Raises:
        SettingsError: the settings lead to no API. MissingKey: the API needs a key.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        if settings is None:
            session = current()
            settings = session.platform_key.fill(session.settings)
        super().__init__(settings)
