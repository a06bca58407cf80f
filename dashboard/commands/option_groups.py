"""Groups of options. A group is a dataclass whose fields are the options that typer shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command in which each field of its dataclass parameters is an option."""
    kinds = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    parameters = []
    for parameter in signature(command).parameters.values():
        if parameter.name not in groups:
            kind = kinds[parameter.name]
            parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=kind))
            continue
        hints = get_type_hints(groups[parameter.name], include_extras=True)
        parameters += [
            Parameter(part.name, Parameter.KEYWORD_ONLY, default=part.default, annotation=hints[part.name])
            for part in fields(groups[parameter.name])
        ]

    @wraps(command)
    def run(**values: Any) -> None:  # noqa: ANN401 (options of any type)
        for name, group in groups.items():
            values[name] = group(**{part.name: values.pop(part.name) for part in fields(group)})
        command(**values)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
