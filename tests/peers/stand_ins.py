"""Modules that stand in for the GPU half of a peer, so that its HTTP half can be imported alone.

Only a top-level name that a peer's script lists becomes a stand-in, and only where the real module
is not installed. Any attribute of it is a class that can be called, subclassed, indexed and used
as a decorator: enough to define the peer's classes, never enough to run one.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from abc import ABCMeta
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from types import FunctionType, ModuleType
from typing import Any

NOT_THERE = frozenset({"npu", "musa"})
"""What `hasattr(torch, …)` must deny: a peer takes it for a kind of accelerator."""


def _is_denied(name: str) -> bool:
    return name in NOT_THERE or (name.startswith("__") and name.endswith("__"))


class _Anything(ABCMeta):
    """The metaclass of a stand-in: an attribute that it lacks is another stand-in."""

    def __getattr__(cls, name: str) -> Any:
        if _is_denied(name):
            raise AttributeError(name)
        made = _Anything(name, (StandIn,), {"__module__": cls.__module__})
        setattr(cls, name, made)
        return made

    def __call__(cls, *args: Any, **options: Any) -> Any:
        # `@torch.no_grad` and `@torch.compile(…)`: what is decorated stays as it is.
        if len(args) == 1 and not options and isinstance(args[0], FunctionType):
            return args[0]
        return super().__call__(*args, **options)

    def register(cls, *args: Any, **options: Any) -> Any:  # ABCMeta has one of this name
        return cls(*args, **options)

    def __getitem__(cls, _key: object) -> Any:
        return cls

    def __or__(cls, _other: object) -> Any:
        return cls

    def __ror__(cls, _other: object) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __len__(cls) -> int:
        return 0

    def __bool__(cls) -> bool:
        return False  # `torch.cuda.is_available()` and its like

    def __lt__(cls, _other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class StandIn(metaclass=_Anything):
    """An instance of a class that is not there."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        pass

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        from pydantic_core import core_schema  # as a field of a peer's configuration: any value

        return core_schema.any_schema()

    def __getattr__(self, name: str) -> Any:
        return getattr(type(self), name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if len(args) == 1 and not options and isinstance(args[0], FunctionType | type):
            return args[0]  # `@registry.register("name")`
        return type(self)(*args, **options)

    def __getitem__(self, _key: object) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        pass

    def __lt__(self, _other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if _is_denied(name):
            raise AttributeError(name)
        made = _Anything(name, (StandIn,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Finder(MetaPathFinder, Loader):
    """Finds a stand-in for the named top-level modules and everything under them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not any(fullname == name or fullname.startswith(f"{name}.") for name in self._names):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = _Module(spec.name)
        vars(module)["__version__"] = "2.14.1"  # torch's, which peers compare with what they need
        return module

    def exec_module(self, _module: ModuleType) -> None:
        pass


def stand_in_for(*names: str) -> None:
    """Let the modules `names` be stand-ins from now on, those that are not installed.

    A dotted name is a module of an installed package: it and all under it becomes a stand-in.
    """
    absent = [n for n in names if "." in n or importlib.util.find_spec(n) is None]
    sys.meta_path.insert(0, _Finder(absent))
