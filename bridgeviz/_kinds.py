"""The kinds of values that an option takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from bridgeviz import _checks as check


class Kind(Protocol):
    """What values an option takes."""

    @property
    def limits(self) -> tuple[float, float] | None:
        """The smallest and largest number; None where the values are not numbers."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        ...

    def check(self, value: Any, name: str, where: str) -> Any:
        """The cleaned value, or an `InputError` in the one error voice."""
        ...


@dataclass(frozen=True)
class Count:
    """An integer from `least` to `most`."""

    least: int = 1
    most: int | None = None
    whole: ClassVar[bool] = True

    @property
    def limits(self) -> tuple[float, float]:
        return self.least, float("inf") if self.most is None else self.most

    def check(self, value: Any, name: str, where: str) -> int:
        return check.count(value, name, where, least=self.least, most=self.most)


@dataclass(frozen=True)
class Seed:
    """A seed: an integer from 0 to 2**32 - 1."""

    whole: ClassVar[bool] = True
    limits: ClassVar[tuple[float, float]] = (0, 2**32 - 1)

    def check(self, value: Any, name: str, where: str) -> int:
        return check.seed(value, name, where)


@dataclass(frozen=True)
class Positive:
    """A finite float > 0."""

    whole: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, float("inf"))

    def check(self, value: Any, name: str, where: str) -> float:
        return check.positive(value, name, where)


@dataclass(frozen=True)
class Unit:
    """A float in (0, 1], or in [0, 1] with `zero`."""

    zero: bool = False
    whole: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def check(self, value: Any, name: str, where: str) -> float:
        return check.unit(value, name, where, zero=self.zero)


@dataclass(frozen=True)
class Decay:
    """A float in (0, 1), both ends excluded."""

    whole: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def check(self, value: Any, name: str, where: str) -> float:
        if not check.unit(value, name, where) < 1:
            raise check.fail(name, where, "a decay in (0, 1), or None", value)
        return float(value)


@dataclass(frozen=True)
class Interval:
    """A float from `low` to `high`, both included."""

    low: float = float("-inf")
    high: float = float("inf")
    whole: ClassVar[bool] = False

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high

    def check(self, value: Any, name: str, where: str) -> float:
        if self.high == float("inf"):
            expected = f"a float >= {self.low:g}"
        else:
            expected = f"a float from {self.low:g} to {self.high:g}"
        number = check.real(value, name, where, expected)
        if not self.low <= number <= self.high:
            raise check.fail(name, where, expected, value)
        return number


@dataclass(frozen=True)
class Flag:
    """True or False."""

    whole: ClassVar[bool] = False
    limits: ClassVar[None] = None

    def check(self, value: Any, name: str, where: str) -> bool:
        return check.flag(value, name, where)


@dataclass(frozen=True)
class Choice:
    """One of several names; a mapping is looked up on each use, so that it may grow."""

    names: Sequence[str] | Mapping[str, Any]
    whole: ClassVar[bool] = False
    limits: ClassVar[None] = None

    def check(self, value: Any, name: str, where: str) -> str:
        return check.choice(value, name, where, self.names)


@dataclass(frozen=True)
class Text:
    """A string, or a path as a string; `what` says of what, for errors."""

    what: str = "a string"
    empty: bool = False
    whole: ClassVar[bool] = False
    limits: ClassVar[None] = None

    def check(self, value: Any, name: str, where: str) -> str:
        text = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(text, str) or (not text.strip() and not (self.empty and text == "")) or "\0" in text:
            raise check.fail(name, where, self.what, check.describe(value))
        return text


@dataclass(frozen=True)
class PairOf:
    """Two floats in (0, 1], one for each side; `parts` name them where each has its own control."""

    parts: tuple[str, str] = ("x", "y")
    whole: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def check(self, value: Any, name: str, where: str) -> tuple[float, float]:
        return check.pair_of_units(value, name, where)


@dataclass(frozen=True)
class Variant:
    """A member of a registry, by name or as an object.

    A registry maps names to classes of options, or to objects of such classes. The name of a class becomes an object
    with that class's defaults. The name of an object stays a name, and an object equal to a registered one becomes
    its name.

    Attributes:
        registry: names to classes or objects; looked up on each use, so that it may grow.
        base: the class that every member has.
        skips: the class attribute in which members list those of their options that are not read here.
    """

    registry: Mapping[str, Any]
    base: type
    skips: str = field(default="", compare=False)  # what one place reads of a member, another can carry on
    whole: ClassVar[bool] = False
    limits: ClassVar[None] = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.registry)

    def check(self, value: Any, name: str, where: str) -> Any:
        if isinstance(value, self.base):
            return next((key for key, entry in self.registry.items() if entry == value), value)
        entry = self.registry[check.choice(value, name, where, self.registry)]
        return entry() if isinstance(entry, type) else value

    def member(self, value: Any) -> Any:
        """The object that a checked value stands for."""
        return self.registry[value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Group:
    """A nested dataclass of options."""

    of: type
    whole: ClassVar[bool] = False
    limits: ClassVar[None] = None

    def check(self, value: Any, name: str, where: str) -> Any:
        if not isinstance(value, self.of):
            raise check.fail(name, where, f"a {self.of.__name__}", check.describe(value))
        return value
