"""Options: frozen dataclasses whose fields state their range, default and help in one place.

The command line, the controls of the app, links, the candidates of `recommend` and the rows of benchmarks are generated
from these fields. A cost, a coupling solver, a velocity field, an ODE solver, a data set and a baseline are each such a
dataclass.

>>> @dataclass(frozen=True, kw_only=True)
... class Blur(Options):
...     name = "blur"
...     radius: float = option(Positive(), 1.0, help="Standard deviation of the blur.")
>>> Blur(radius=2).radius
2.0
>>> Blur(radius=-1)
Traceback (most recent call last):
...
bridgeviz._errors.InputError: The 'radius' of blur() must be a float > 0. Got -1 instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, ClassVar

from bridgeviz import _checks as check
from bridgeviz._kinds import (
    Choice,
    Count,
    Decay,
    Flag,
    Group,
    Interval,
    Kind,
    PairOf,
    Positive,
    Seed,
    Text,
    Unit,
    Variant,
)


@dataclass(frozen=True)
class Option:
    """The metadata of one field.

    Attributes:
        kind: the values that it takes.
        default: its value unless another is given.
        help: one or two sentences.
        label: of its control; an option without a label has neither a control nor a command-line option.
        key: its name in links and among controls; the field's name if empty.
        stops: of its slider, in the units of the control; a link may contain any number in between.
        limits: of controls and links, if they are narrower than those of the kind.
        word: the name of None, such as "auto"; without a word, None is refused unless it is the default.
        percent: whether controls and links show it in percent.
        step: of a continuous slider.
        main: whether its control is in the sidebar itself; the others are under "More settings".
        training: whether only pages that train a flow show it.
    """

    kind: Kind
    default: Any
    help: str
    label: str = ""
    key: str = ""
    stops: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    word: str | None = None
    percent: bool = False
    step: float | None = None
    main: bool = False
    training: bool = False

    def check(self, value: Any, name: str, where: str) -> Any:
        """The cleaned value, or an `InputError`."""
        if value is None and (self.word is not None or self.default is None):
            return None
        return self.kind.check(value, name, where)


def option(kind: Any, default: Any, *, help: str, **more: Any) -> Any:
    """A field of a dataclass of options; `more` holds further attributes of `Option`."""
    about = Option(kind, default, help, **more)
    return field(default=default, metadata={"option": about})


@dataclass(frozen=True, kw_only=True)
class Options:
    """The base of every dataclass of options: it checks its fields, and compares and hashes by them.

    Attributes:
        name: under which it is registered.
        where: the function or class that errors name; the name if empty.
        summary: one line for lists and help texts.
        lead: one or two sentences for its page in the app.
        formula: what it computes, in LaTeX, for the same page; "" for none.
    """

    name: ClassVar[str] = ""
    where: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    lead: ClassVar[str] = ""
    formula: ClassVar[str] = ""

    def __post_init__(self):
        for name, about in options_of(type(self)).items():
            object.__setattr__(self, name, about.check(getattr(self, name), name, self.where or self.name))

    def changed(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return {
            name: getattr(self, name)
            for name, about in options_of(type(self)).items()
            if getattr(self, name) != about.default
        }


@cache
def options_of(cls: type) -> dict[str, Option]:
    """The options of a dataclass by field name, in order."""
    return {one.name: one.metadata["option"] for one in fields(cls) if "option" in one.metadata}


def skipped_options(kind: Variant, member: type) -> tuple[str, ...]:
    """The options of a member that are not read where an option of this kind stands."""
    return getattr(member, kind.skips) if kind.skips else ()


def class_of(entry: Any) -> type:
    """The class of an entry of a registry, which is a class or an object."""
    return entry if isinstance(entry, type) else type(entry)


def known_options(registry: Mapping[str, Any]) -> dict[str, Option]:
    """The options of all members of a registry by field name."""
    return {name: about for entry in registry.values() for name, about in options_of(class_of(entry)).items()}


def pick(registry: Mapping[str, Any], value: Any, given: Mapping[str, Any], name: str, where: str, base: type) -> Any:
    """The member that `value` names, or is, with those of the `given` options that it has.

    Options that only other members of the registry have are checked and left out, so that one set of options serves
    several members. Errors name the arguments of `where`.

    Raises:
        InputError: an unknown name, an option that no member has, or a value out of range.
    """
    member = Variant(registry, base).check(value, name, where)
    if isinstance(member, str):
        member = registry[member]
    known = known_options(registry) | options_of(type(member))
    check.options(dict(given), known, where)
    own = options_of(type(member))
    cleaned = {key: (own.get(key) or known[key]).check(one, key, where) for key, one in given.items()}
    changes = {key: one for key, one in cleaned.items() if key in own}
    return replace(member, **changes) if changes else member


__all__ = [
    "Choice",
    "Count",
    "Decay",
    "Flag",
    "Group",
    "Interval",
    "Kind",
    "Option",
    "Options",
    "PairOf",
    "Positive",
    "Seed",
    "Text",
    "Unit",
    "Variant",
    "class_of",
    "known_options",
    "option",
    "options_of",
    "pick",
    "skipped_options",
]
