"""The settings of a run as text, for links, controls and the command line; all generated from `RunConfig`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bridgeviz._options import Choice, Flag, Group, Option, PairOf, Text, Variant, options_of
from bridgeviz.costs import COSTS
from bridgeviz.couplings import STRATEGIES
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._flat import FLAT_NAMES, Leaf, leaves

AUTO = "auto"
"""The word for the default of a setting whose default differs between the members that have it."""

COST_STAGE = "cost"


@dataclass(frozen=True)
class Setting:
    """One setting that has a control.

    Attributes:
        key: its name in links, and of its control.
        name: its flat name in `RunConfig`.
        part: 0 or 1 for one number of a pair; else None.
        option: the metadata of its field.
        label: of its control.
        default: its default as text.
        word: the text for "no number", or for each member's own default; None if there is no such text.
        varies: whether the default differs between the members that have it; `word` then means each member's own.
        readers: the sets of choices under which it is read: each ((flat name of a choice, member's name), ...).
        stage: the field of `RunConfig` that it belongs to.
    """

    key: str
    name: str
    part: int | None
    option: Option
    label: str
    default: str
    word: str | None
    varies: bool
    readers: tuple[tuple[tuple[str, str], ...], ...]
    stage: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names to choose from; empty for a setting that does not take a name."""
        kind = self.option.kind
        if isinstance(kind, Flag) and self.word is not None:
            return self.word, "true", "false"
        if not isinstance(kind, (Choice, Variant)):
            return ()
        names = tuple(kind.names)
        return (self.word, *names) if self.word is not None else names

    @property
    def flag(self) -> bool:
        """Whether it is a switch."""
        return isinstance(self.option.kind, Flag) and self.word is None

    @property
    def free(self) -> bool:
        """Whether it takes any text of its kind."""
        return isinstance(self.option.kind, Text)

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and largest number in a control or link."""
        low, high = self.option.limits or self.option.kind.limits or (float("-inf"), float("inf"))
        return low, high

    @property
    def choices(self) -> set[str]:
        """The keys of the choices that decide whether it is read."""
        names = {choice for reader in self.readers for choice, _ in reader}
        return names | {FLAT_NAMES["coupling"]} if self.stage == COST_STAGE else names

    def applies(self, texts: Mapping[str, str]) -> bool:
        """Whether this setting is read under the choices in `texts`, which are by key."""
        if self.stage == COST_STAGE and not STRATEGIES[texts["strategy"]].uses_cost:
            return False
        return self.is_read(texts)

    def is_read(self, texts: Mapping[str, str]) -> bool:
        """Whether a member among `texts`, by key, has this setting."""
        return any(all(texts[choice] == member for choice, member in reader) for reader in self.readers)

    def parse(self, text: str) -> Any:
        """The value that a text stands for; whether a name is known or a number in range is not checked.

        Raises:
            ValueError: it is neither a number nor a word where one is needed.
        """
        if text == self.word or (text == AUTO and self.word is None and not self.names and not self.flag):
            return None if self.option.word is not None else self.option.default
        kind = self.option.kind
        if isinstance(kind, Flag):
            if text not in ("true", "false"):
                raise ValueError(text)
            return text == "true"
        if self.names or self.free:
            return text
        number = float(text)
        if kind.whole:
            if not number.is_integer():
                raise ValueError(text)
            return int(number)
        return number / 100 if self.option.percent else number

    def read(self, text: str) -> Any:
        """The value that a text stands for, within the limits of a control or link.

        Raises:
            ValueError: it stands for none.
        """
        value = self.parse(text)
        low, high = self.limits
        if self.names:
            valid = text in self.names
        elif self.free:
            self.option.kind.check(text, self.key, "link")
            valid = True
        else:
            valid = isinstance(value, bool) or text in (self.word, AUTO) or low <= float(text) <= high
        if not valid:
            raise ValueError(text)
        return value

    def write(self, value: Any) -> str:
        """The text of a value."""
        if value is None:
            return self.word if self.word is not None else self.default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)):
            return f"{100 * value if self.option.percent else value:.12g}"
        return value.name

    def complaint(self, text: str) -> str | None:
        """One sentence on what is wrong with a text from a link; None if it is valid."""
        try:
            self.read(text)
        except (ValueError, OverflowError):
            return f"The link asks for {self.key}={text[:40]}. It must be {self.expected}."
        return None

    @property
    def expected(self) -> str:
        """A description of its valid texts."""
        if self.names:
            return "one of: " + ", ".join(self.names)
        if self.flag:
            return "true or false"
        if isinstance(self.option.kind, Text):
            return self.option.kind.what
        low, high = self.limits
        kind = "a whole number" if self.option.kind.whole else "a number"
        also = "" if self.word is None else f", or {self.word}"
        if high == float("inf"):
            return f"{kind} of at least {low:g}{also}"
        return f"{kind} from {low:g} to {high:g}{also}"


def settings() -> list[Setting]:
    """Every setting that has a control, in the order of Algorithm 1; members of registries as they are now."""
    return list(_settings(_members()))


def _members() -> tuple[tuple[str, Any], ...]:
    """Every member of every registry that a config chooses from: what the settings depend on."""
    found: list[tuple[str, Any]] = []
    classes: list[type] = [RunConfig]
    while classes:
        for about in options_of(classes.pop()).values():
            if isinstance(about.kind, Group):
                classes.append(about.kind.of)
            elif isinstance(about.kind, Variant):
                found += about.kind.registry.items()
                classes += [entry for entry in about.kind.registry.values() if isinstance(entry, type)]
    return tuple(found)


@lru_cache(maxsize=1)
def _settings(_members: tuple[tuple[str, Any], ...]) -> tuple[Setting, ...]:
    """The settings while the registries have these members; an app asks several times whenever a control is moved."""
    defaults = RunConfig()
    by_key: dict[str, list[tuple[str, int | None, Leaf]]] = {}
    for stage, leaf in _staged():
        if leaf.option.label:
            key, kind = leaf.option.key or leaf.name, leaf.option.kind
            if isinstance(kind, PairOf):
                for part in (0, 1):
                    by_key.setdefault(f"{key}_{kind.parts[part]}", []).append((stage, part, leaf))
            else:
                by_key.setdefault(key, []).append((stage, None, leaf))
    return tuple(_setting(key, entries, defaults) for key, entries in by_key.items())


def config_of(texts: Mapping[str, str]) -> RunConfig:
    """The config that texts by key stand for; missing keys take their default.

    Raises:
        InputError: a value that `RunConfig` refuses.
    """
    known = settings()
    complete = {one.key: one.default for one in known} | dict(texts)
    flat: dict[str, Any] = {}
    for one in known:
        if not one.is_read(complete):
            continue
        value = one.read(complete[one.key])
        if one.part is None:
            if one.varies and complete[one.key] == AUTO:
                continue  # each member's own default
            flat[one.name] = value
        else:
            pair = list(flat.get(one.name, one.option.default))
            pair[one.part] = value
            flat[one.name] = tuple(pair)
    return RunConfig(**flat)


def texts_of(config: RunConfig) -> dict[str, str]:
    """The text of every setting of a config: `config_of` the other way round."""
    known = settings()
    own = _defaults_of_members(config)
    texts: dict[str, str] = {}
    for one in known:
        value = getattr(config, one.name) if one.name != COST_STAGE else config.cost.name
        if one.part is not None and value is not None:
            value = value[one.part]
        if value is None and one.option.word is None:
            texts[one.key] = one.default
        elif one.varies and value == own.get(one.name, value):
            texts[one.key] = AUTO
        else:
            texts[one.key] = one.write(value)
    for one in known:  # two settings may share a flat name, such as `max_iterations` of a solver and of a batch
        if not one.is_read(texts):
            texts[one.key] = one.default
    return texts


def _staged() -> Iterator[tuple[str, Leaf]]:
    """The leaves of `RunConfig`, each with the stage that it belongs to."""
    for stage, about in options_of(RunConfig).items():
        if isinstance(about.kind, Group):
            yield from ((stage, leaf) for leaf in leaves(about.kind.of))
        else:
            name = FLAT_NAMES.get(stage, stage)
            for leaf in leaves(RunConfig):
                if leaf.name == name or (leaf.needs and leaf.needs[0][0] == name):
                    yield stage, leaf


def _setting(key: str, entries: list[tuple[str, int | None, Leaf]], defaults: RunConfig) -> Setting:
    stage, part, leaf = entries[0]
    option = leaf.option
    varies = len({repr(entry.option.default) for _, _, entry in entries}) > 1
    word = AUTO if varies else option.word
    label = option.label
    if part is not None:
        label += f" of the {('source', 'target')[part]}"
    if varies:
        default = AUTO
    else:
        value = getattr(defaults, leaf.name) if leaf.name != COST_STAGE else defaults.cost.name
        unread = any(getattr(defaults, choice) != member for choice, member in leaf.needs)
        if unread or (value is None and option.word is None):
            value = option.default
        value = value if part is None or value is None else value[part]
        blank = Setting(key, leaf.name, part, option, label, "", word, varies, (), stage)
        default = blank.write(value)
    readers = tuple(dict.fromkeys(entry.needs for _, _, entry in entries))
    return Setting(key, leaf.name, part, option, label, default, word, varies, readers, stage)


def _defaults_of_members(config: RunConfig) -> dict[str, Any]:
    """The defaults of the chosen cost, by flat name."""
    cls = COSTS.get(config.cost.name, type(config.cost))
    return {} if cls is None else vars(cls())
