"""The `%cometvid` magic: hands a line to the commands, and mirrors the settings as traits."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import Bool, Float, TraitError, Unicode, default, observe

from ..errors import CometVidError, SettingsError, retold
from ..machine import say, writable
from ..settings import Settings
from .completion import attach
from .help import list_of_commands
from .line import parse
from .parser import GrammarError

if TYPE_CHECKING:
    from ..session.session import Session
    from .commands import Commands

_HELP = {field.name: field.metadata["help"] for field in fields(Settings)}
# The settings that are traits. Not the key, which `%config Cometvid` would print and a cell would
# keep, and not `is_simulated`, which `%cometvid demo` sets.
_CONFIGURABLE = (
    *("base_url", "model", "timeout_s", "interval_s", "save", "save_dir", "name_template"),
    *("recipe", "ledger", "rerun", "allow_http"),
)


@magics_class
class Cometvid(Magics):
    """Settings of `%cometvid`; set them here, or by `%cometvid config KEY=VALUE`."""

    base_url = Unicode(help=_HELP["base_url"]).tag(config=True)
    model = Unicode(help=_HELP["model"]).tag(config=True)
    timeout_s = Float(help=_HELP["timeout_s"]).tag(config=True)
    interval_s = Float(help=_HELP["interval_s"]).tag(config=True)
    # True explicitly: with traitlets' own False, a first `save = False` would be no change, and
    # traitlets would not call `_configure`.
    save = Bool(True, help=_HELP["save"]).tag(config=True)
    save_dir = Unicode(help=_HELP["save_dir"]).tag(config=True)
    name_template = Unicode(help=_HELP["name_template"]).tag(config=True)
    recipe = Bool(True, help=_HELP["recipe"]).tag(config=True)
    ledger = Unicode(help=_HELP["ledger"]).tag(config=True)
    rerun = Unicode(help=_HELP["rerun"]).tag(config=True)
    allow_http = Bool(help=_HELP["allow_http"]).tag(config=True)

    shell: Any  # never None here, and richer than its annotation

    def __init__(self, shell: Any) -> None:
        self._made_commands: Commands | None = None
        # `_is_mirroring`: traits are being set from the session, and must not set it in return.
        # `_is_loaded`: False while the base class applies ipython_config.py, where an error would
        # make %load_ext fail.
        self._is_mirroring = self._is_loaded = False
        super().__init__(shell=shell)
        self._is_loaded = True
        self._detach_completion = attach(
            shell,
            lambda kind, beginning: self._commands.known_ids(kind, beginning),
            lambda option: self._commands.known_values(option),
        )

    @property
    def _commands(self) -> Commands:
        # Imported at the first command: most notebooks load the extension at the top and use it
        # much later, if at all, so that %load_ext must cost next to nothing.
        if self._made_commands is None:
            from .commands import Commands

            self._made_commands = Commands()
        return self._made_commands

    # IPython must not expand {x} and $x: in a prompt they stay as they are without `--expand`.
    # `parse` fills in the other lines.
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def cometvid(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Run video-generation jobs from a notebook. `%cometvid` alone shows the start page."""
        try:
            command, arguments = parse(line, cell, {**self.shell.user_ns, **(local_ns or {})})
            result = getattr(self._commands, command.method)(arguments, cell)
        except GrammarError as error:
            # IPython shows a UsageError without a traceback, and the cell fails.
            raise UsageError(str(error)) from None
        except (SettingsError, ValueError) as error:
            advice = getattr(error, "advice", None)
            raise UsageError(f"{str(error).rstrip('.')}. {advice}" if advice else error) from None
        except CometVidError as error:
            raise _without_traceback(error) from None
        finally:
            self._mirror()
        return result

    # What `%cometvid?` shows.
    cometvid.__doc__ = f"{cometvid.__doc__}\n\n{list_of_commands()}"

    def unload(self) -> None:
        """Undo everything that loading did. IPython itself cannot unregister a magic."""
        self._commands.leave_demo()
        from ..session.session import end

        end()
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("cometvid", None)
        self.shell.magics_manager.registry.pop(type(self).__name__, None)
        if self in self.shell.configurables:
            self.shell.configurables.remove(self)
        self._detach_completion()

    # The settings as traits, for %config and ipython_config.py. Their defaults are the session's
    # own values, read at the first use.

    @default("base_url")
    def _default_base_url(self) -> str:
        return _session().settings.base_url

    @default("model")
    def _default_model(self) -> str:
        return _session().settings.model

    @default("timeout_s")
    def _default_timeout_s(self) -> float:
        return _session().settings.timeout_s

    @default("interval_s")
    def _default_interval_s(self) -> float:
        return _session().settings.interval_s

    @default("save")
    def _default_save(self) -> bool:
        return _session().settings.save

    @default("save_dir")
    def _default_save_dir(self) -> str:
        return _session().settings.save_dir

    @default("name_template")
    def _default_name_template(self) -> str:
        return _session().settings.name_template

    @default("recipe")
    def _default_recipe(self) -> bool:
        return _session().settings.recipe

    @default("ledger")
    def _default_ledger(self) -> str:
        return _session().settings.ledger

    @default("rerun")
    def _default_rerun(self) -> str:
        return _session().settings.rerun

    @default("allow_http")
    def _default_allow_http(self) -> bool:
        return _session().settings.allow_http

    @observe(*_CONFIGURABLE)
    def _configure(self, change: Any) -> None:
        if self._is_mirroring:
            return
        try:
            _session().configure(**{change["name"]: change["new"]})
        except SettingsError as error:
            self._mirror()
            if self._is_loaded:
                raise TraitError(str(error)) from None
            # The value comes from ipython_config.py, or from an earlier %config, which IPython
            # keeps. The extension must load nevertheless.
            say(f"A value in IPython's configuration is ignored: {error}")

    def _mirror(self) -> None:
        """Copy the session's settings into the traits."""
        settings = _session().settings
        self._is_mirroring = True
        try:
            for name in _CONFIGURABLE:
                setattr(self, name, getattr(settings, name))
        finally:
            self._is_mirroring = False


def _without_traceback(error: CometVidError) -> CometVidError:
    """Return a copy of `error` that IPython shows as one paragraph, without a traceback.

    No line of our code helps the reader of a magic. IPython asks an exception for
    `_render_traceback_` before it makes a traceback. Only this copy has it: in Python code a
    traceback is useful.
    """
    told = retold(error, " ".join(filter(None, [str(error), error.advice])))
    lines = [writable(f"{type(told).__name__}: {told}")]
    told._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return told


def _session() -> Session:
    from ..session.session import current

    return current()
