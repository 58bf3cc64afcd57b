"""Groups of options: several options that commands take together and receive as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

Command = Callable[..., None]


@dataclass(frozen=True)
class Group:
    """Stands in the annotation of a command's parameter, as typer's options do.

    Attributes:
        read: gives the parameter's value; its own parameters are the options.
    """

    read: Callable[..., Any]


def with_groups(command: Command) -> Command:
    """The command with the options of its groups in the groups' places, as typer wants it."""
    parameters = _parameters(command)
    readers = {
        parameter.name: note.read
        for parameter in parameters
        for note in get_args(parameter.annotation)
        if isinstance(note, Group)
    }
    options = {name: _parameters(read) for name, read in readers.items()}
    flat = [option for p in parameters for option in options.get(p.name, [p])]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, read in readers.items():
            given[name] = read(**{option.name: given.pop(option.name) for option in options[name]})
        command(**given)

    run.__dict__["__signature__"] = inspect.Signature(flat)
    run.__annotations__ = {option.name: option.annotation for option in flat}
    return run


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())
