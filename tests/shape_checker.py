"""The type checker that the tests install: beartype, on the annotations that name an array's shape and on no others.

Wrong input is the library's own business: it must reach our checks and come back as an `InputError`. So a parameter
annotated `float` or `ArrayLike` is left to them; what is checked here is what our own code hands on and returns.
"""

from __future__ import annotations

import inspect
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray


def names_a_shape(annotation: Any) -> bool:
    """Whether an annotation is a jaxtyping array, or is made of some."""
    if inspect.isclass(annotation) and issubclass(annotation, AbstractArray):
        return True
    return any(names_a_shape(part) for part in get_args(annotation))


def check_shapes(fn: Any) -> Any:
    """`fn`, with its jaxtyping annotations checked at every call."""
    if not inspect.isfunction(fn):
        return fn
    fn.__annotations__ = {name: kind for name, kind in fn.__annotations__.items() if names_a_shape(kind)}
    return beartype(fn)
