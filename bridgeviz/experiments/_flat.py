"""Flat names <-> nested dataclasses of options.

A flat name is the name of a field, whichever stage or member of a registry it belongs to. The options of a data set and
of a cost can also be given as a dict (`options`, `cost_options`), because their names may collide with those of the
run's own settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._options import Group, Option, Options, Variant, class_of, options_of, skipped_options

FLAT_NAMES = {"coupling": "strategy"}
"""Stages whose flat name is not that of their field."""

MAPPINGS = {"dataset": "options", "cost": "cost_options"}
"""The dicts of options by the flat name of the member that they belong to."""


@dataclass(frozen=True)
class Leaf:
    """One option that has a flat name.

    Attributes:
        name: its flat name.
        field: its field in the dataclass `owner`.
        option: the metadata of that field.
        owner: the class that has the field.
        needs: the choices under which it is read: (flat name of the choice, name of the member), outermost first.
    """

    name: str
    field: str
    option: Option
    owner: type
    needs: tuple[tuple[str, str], ...]


def leaves(
    cls: type, needs: tuple[tuple[str, str], ...] = (), *, own: str = "", skipped: Collection[str] = ()
) -> Iterator[Leaf]:
    """Every option below a class that has a flat name, once per class that defines it.

    Args:
        cls: a dataclass of options.
        needs: the choices that lead to the class.
        own: the flat name of a choice whose members take their options as a dict. Of these options, only those with a
            label have a flat name: their key, or the name of the field.
        skipped: fields to leave out.
    """
    for field, about in options_of(cls).items():
        if field in skipped:
            continue
        name = FLAT_NAMES.get(field, field)
        if isinstance(about.kind, Group):
            yield from leaves(about.kind.of, needs)
            continue
        if own and not about.label:
            continue
        yield Leaf((about.key or field) if own else name, field, about, cls, needs)
        if isinstance(about.kind, Variant):
            mapping = name if name in MAPPINGS else ""
            for member, entry in about.kind.registry.items():
                if isinstance(entry, type):
                    unread = skipped_options(about.kind, entry)
                    yield from leaves(entry, (*needs, (name, member)), own=mapping, skipped=unread)


def assemble(cls: type, settings: Mapping[str, Any], *, where: str, before: Options | None = None) -> dict[str, Any]:
    """The stages of `cls`, built from settings by stage and by flat name; flat names take precedence.

    Settings that no chosen member reads are checked and left out.

    Args:
        cls: the dataclass of the stages.
        settings: stages as objects, and flat settings.
        where: the function or class that errors name.
        before: what the settings change; None takes the defaults.

    Raises:
        InputError: an unknown name, or a value out of range.
    """
    stages = options_of(cls)
    flat = {name: value for name, value in settings.items() if not _is_stage(stages, name, value)}
    base = {name: about.default if before is None else getattr(before, name) for name, about in stages.items()}
    for name in stages.keys() & settings.keys() - flat.keys():
        base[name] = stages[name].check(settings[name], name, where)
    known = {name: leaf.option for leaf in leaves(cls) for name in (leaf.field, leaf.name)}
    check.options(dict(flat), [*known, *MAPPINGS.values()], where)
    for name in MAPPINGS.values():
        if name in flat:
            _check_mapping(flat[name], name, where)
    if "fraction" in flat and flat["fraction"] is None and flat.get("count") is None:
        raise check.fail("fraction", where, "a float in (0, 1], unless 'count' is given", None)
    if flat.get("count") is not None and flat.get("fraction") is None:
        base["pairs"] = replace(base["pairs"], fraction=None, count=flat["count"])
    elif flat.get("fraction") is not None and flat.get("count") is None:
        base["pairs"] = replace(base["pairs"], fraction=None, count=None)
    used: set[str] = set()
    flat = _shared(settings, stages, base, flat, where) | flat
    result = {name: _rebuilt(about, FLAT_NAMES.get(name, name), base[name], flat, used, where)
              for name, about in stages.items()}  # fmt: skip
    for name in flat.keys() - used - set(MAPPINGS.values()):
        if name in known and flat[name] is not None:
            known[name].check(flat[name], name, where)
    return result


def flatten(config: Options) -> dict[str, Any]:
    """The flat plain values of a config, from which `assemble` builds it again."""
    values: dict[str, Any] = {}
    for field, about in options_of(type(config)).items():
        _flatten(about, FLAT_NAMES.get(field, field), getattr(config, field), values)
    return values


def flat_value(config: Options, name: str) -> Any:
    """The value of a flat name; None where no chosen member reads it.

    Raises:
        KeyError: there is no such name.
    """
    inner = []
    for field, about in options_of(type(config)).items():
        value, flat = getattr(config, field), FLAT_NAMES.get(field, field)
        if isinstance(about.kind, Variant) and not isinstance(value, str):
            if name == MAPPINGS.get(flat):
                return {key: option for key, option in value.changed().items() if key != "metric"}
            if name == flat:
                return value.name
        elif not isinstance(about.kind, Group) and name in (flat, about.key):
            return value
        if isinstance(value, Options):
            inner.append(value)
    for value in inner:  # after the config's own options: a member may have unread ones of the same name
        with suppress(KeyError):
            return flat_value(value, name)
    raise KeyError(name)


def plain(value: Any) -> Any:
    """A value for JSON: a member of a registry becomes a dict with its name and options, a tuple a list."""
    if not isinstance(value, Options):
        return list(value) if isinstance(value, tuple) else value
    return {"kind": value.name} | {name: plain(getattr(value, name)) for name in options_of(type(value))}


def _is_stage(stages: Mapping[str, Option], name: str, value: Any) -> bool:
    """Whether a setting is a whole stage: `cost` is a stage if it is an object, and a flat name if it is a string."""
    return name in stages and not (name in ("cost",) and isinstance(value, str))


def _check_mapping(value: Any, name: str, where: str) -> None:
    example = {"options": "{'overlap': 0.5}", "cost_options": "{'k': 5}"}[name]
    if not isinstance(value, dict):
        raise check.fail(name, where, f"a dict, such as {example}", check.describe(value))
    if not all(isinstance(key, str) for key in value):
        raise check.fail(name, where, "a dict with names as keys", check.describe(value))


def _shared(
    settings: Mapping[str, Any], stages: Mapping[str, Option], base: Mapping[str, Any], flat: Mapping[str, Any],
    where: str,
) -> dict[str, Any]:  # fmt: skip
    """The values of settings that several stages share, such as the seed, in the stages that are given as objects."""
    shared: dict[str, Any] = {}
    for name in ("seed", "batch_size"):
        if name in flat:
            continue
        values = {
            stage: getattr(base[stage], name)
            for stage in stages
            if stage in settings and stage not in flat and hasattr(base[stage], name)
            and not (stage == "data" and base[stage].rows is None)
        }  # fmt: skip
        if len(set(values.values())) > 1:
            got = ", ".join(f"{value} in {stage}" for stage, value in values.items())
            raise check.fail(name, where, "the same in every stage that has it", got, f"Give {name}= as well.")
        if values:
            shared[name] = next(iter(values.values()))
    return shared


def _rebuilt(about: Option, name: str, value: Any, flat: Mapping[str, Any], used: set[str], where: str) -> Any:
    """The value of one option after the flat settings are applied; `used` collects the names that were read."""
    if isinstance(about.kind, Group):
        return _with_flat(value, flat, used, where)
    if not isinstance(about.kind, Variant):
        if name not in flat:
            return value
        used.add(name)
        if flat[name] is None and about.default is not None and about.word is None:
            return about.default
        return about.check(flat[name], name, where)
    if name in flat:
        used.add(name)
        value = _chosen(about.kind, name, value, flat[name], where)
    if isinstance(value, str):
        return value
    mapping = MAPPINGS.get(name)
    if mapping is None:
        skipped = skipped_options(about.kind, type(value))
        return _with_flat(value, {key: one for key, one in flat.items() if key not in skipped}, used, where)
    return _with_mapping(value, flat, mapping, used, where)


def _chosen(kind: Variant, name: str, before: Any, requested: Any, where: str) -> Any:
    """The requested member, with those options of the previous one that both have."""
    if isinstance(requested, str) and not isinstance(before, str) and before.name == requested:
        return before
    if isinstance(requested, dict) and "kind" in requested:  # a member that is not registered, as plain values
        classes = {class_of(entry).name: class_of(entry) for entry in kind.registry.values()}
        cls = classes[check.choice(requested["kind"], name, where, classes)]
        return cls(**{option: value for option, value in requested.items() if option != "kind"})
    member = kind.check(requested, name, where)
    if isinstance(member, str) or isinstance(before, str) or not isinstance(requested, str):
        return member
    own, previous = options_of(type(member)), options_of(type(before))
    carried = {
        option: _read_of(own[option].kind, value)
        for option, value in before.changed().items()
        if option in own and own[option].kind == previous[option].kind
    }
    return replace(member, **carried)


def _read_of(kind: Any, value: Any) -> Any:
    """A value with the defaults of those of its options that are not read where an option of this kind stands."""
    if not isinstance(kind, Variant) or isinstance(value, str):
        return value
    own = options_of(type(value))
    return replace(value, **{name: own[name].default for name in skipped_options(kind, type(value))})


def _with_flat(value: Options, flat: Mapping[str, Any], used: set[str], where: str) -> Options:
    changes = {}
    for field, about in options_of(type(value)).items():
        before = getattr(value, field)
        after = _rebuilt(about, FLAT_NAMES.get(field, field), before, flat, used, where)
        if after is not before:
            changes[field] = after
    return replace(value, **changes) if changes else value


def _with_mapping(value: Options, flat: Mapping[str, Any], mapping: str, used: set[str], where: str) -> Options:
    """A data set or cost with the options of its dict, if there is one, instead of its own, and then the flat ones."""
    own = options_of(type(value))
    if mapping in flat:
        check.options(flat[mapping], [name for name in own if name != "metric"], value.where or value.name)
        kept = {"metric": value.metric} if "metric" in own else {}  # type: ignore[attr-defined]
        value = type(value)(**kept | flat[mapping])
    changes = {}
    for field, about in own.items():
        for name in dict.fromkeys((about.key or field, field)):
            if about.label and name in flat:
                used.add(name)
                given = flat[name]
                absent = given is None and about.default is not None and about.word is None
                changes[field] = about.default if absent else about.check(given, name, where)
    return replace(value, **changes) if changes else value


def _flatten(about: Option, name: str, value: Any, values: dict[str, Any]) -> None:
    if isinstance(about.kind, Group):
        for field, inner in options_of(type(value)).items():
            _flatten(inner, FLAT_NAMES.get(field, field), getattr(value, field), values)
        return
    if not isinstance(about.kind, Variant):
        if about.label or value != about.default:
            values[name] = plain(value)
        return
    if isinstance(value, str):
        values[name] = value
        return
    if about.kind.registry.get(value.name) is not type(value):
        values[name] = plain(value)
        return
    values[name] = value.name
    mapping = MAPPINGS.get(name)
    if mapping is None:
        for field, inner in options_of(type(value)).items():
            _flatten(inner, FLAT_NAMES.get(field, field), getattr(value, field), values)
        return
    values[mapping] = {key: plain(option) for key, option in value.changed().items() if key != "metric"}
    if "metric" in options_of(type(value)):
        values["metric"] = value.metric  # type: ignore[attr-defined]
