"""Options of the command line that are generated from the metadata of settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Flag, Variant
from bridgeviz.cli._types import refusal

if TYPE_CHECKING:
    from bridgeviz.experiments import Setting

Sections = Mapping[str, Mapping[str, "Setting"]]
"""Settings by option name ("ot_batch_size" is --ot-batch-size), by the section of the help text that lists them."""

OPTIONS = "Options"
"""The section of the options that a command does not generate."""

_META = "bridgeviz.settings"


class SettingsCommand(click.Command):
    """A command with one option per setting, in addition to its own.

    The options are made when the command is invoked. A member that is added to a registry before then has its options.

    Args:
        sections: gives the settings.
    """

    def __init__(self, *args: Any, sections: Callable[[], Sections], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._sections = sections

    def options(self, ctx: click.Context) -> dict[str, list[SettingOption]]:
        """The generated options by section: the same objects throughout an invocation."""
        if _META not in ctx.meta:
            sections = self._sections()
            members = {name: names_of(setting) for group in sections.values() for name, setting in group.items()}
            ctx.meta[_META] = {
                title: [SettingOption(name, setting, members) for name, setting in group.items()]
                for title, group in sections.items()
            }
        return ctx.meta[_META]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *(option for group in self.options(ctx).values() for option in group)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [param for param in super().get_params(ctx) if not isinstance(param, click.Argument)]
        sections: dict[str, list[Any]] = {OPTIONS: [], **self.options(ctx)}
        sections[OPTIONS] = [*own[:-1], *sections[OPTIONS], own[-1]]  # the last one is --help
        for title, params in sections.items():
            with formatter.section(title):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])


class SettingOption(click.Option):
    """The option of one setting. Its value goes to `passed_settings`, not to the command's arguments."""

    def __init__(self, name: str, setting: Setting, members: Mapping[str, Collection[str]]):
        self.setting = setting
        flag = name.replace("_", "-")
        switch = _is_switch(setting)
        super().__init__(
            [f"--{flag}/--no-{flag}" if switch and setting.default != "false" else f"--{flag}", name],
            type=None if switch else SettingText(setting), is_flag=switch, default=None, expose_value=False,
            help=_help(setting, members),
        )  # fmt: skip

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        value, args = super().handle_parse_result(ctx, opts, args)
        if ctx.get_parameter_source(self.name or "") is ParameterSource.COMMANDLINE:
            text = str(value).lower() if isinstance(value, bool) else value
            ctx.meta.setdefault(f"{_META}.passed", {})[self.name] = text
        return value, args

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or self.setting.default in ("", "false"):
            return record
        return record[0], f"{record[1]}  [default: {self.setting.default}]"


class SettingText(click.ParamType):
    """The text of a setting, as in a link; its range is checked where it is used."""

    def __init__(self, setting: Setting):
        self.setting = setting
        self.name = "name" if setting.names else "integer" if setting.option.kind.whole else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self.setting.parse(value)
        except ValueError:
            expected = "an integer" if self.setting.option.kind.whole else "a number"
            expected += "" if self.setting.word is None else f", or {self.setting.word}"
            raise refusal(expected, value, param, ctx) from None
        return value


def passed_settings(ctx: click.Context) -> dict[str, str]:
    """The texts of the settings that were passed on the command line, by option name."""
    return ctx.meta.get(f"{_META}.passed", {})


def known_settings(ctx: click.Context) -> dict[str, Setting]:
    """The settings of a `SettingsCommand`, by option name."""
    return {option.name: option.setting for group in ctx.meta[_META].values() for option in group}


def flat_values(ctx: click.Context) -> dict[str, Any]:
    """The values that were passed on the command line, by flat name."""
    known = known_settings(ctx)
    flat: dict[str, Any] = {}
    for name, text in passed_settings(ctx).items():
        setting = known[name]
        if setting.varies and text == setting.word:
            continue  # each member's own default
        value = setting.parse(text)
        if setting.part is None:
            flat[setting.name] = value
        else:
            pair = list(flat.get(setting.name, setting.option.default))
            pair[setting.part] = value
            flat[setting.name] = tuple(pair)
    return flat


def refuse_unread(ctx: click.Context, *, but: Collection[str] = ()) -> None:
    """Refuse a setting that was passed on the command line although the chosen members do not have it.

    Args:
        ctx: of the command.
        but: choices that may leave settings unread.

    Raises:
        InputError: such a setting.
    """
    known, passed = known_settings(ctx), passed_settings(ctx)
    chosen = {name: passed.get(name, setting.default) for name, setting in known.items()}
    for name, text in passed.items():
        readers = [{choice: member for choice, member in reader if choice not in but} for reader in known[name].readers]
        if any(all(chosen[choice] == member for choice, member in reader.items()) for reader in readers):
            continue
        choice = list(readers[0])[-1]
        if chosen[choice] not in names_of(known[choice]):
            continue  # that name itself is refused elsewhere
        members = " and ".join(f"'{member}'" for member in dict.fromkeys(reader[choice] for reader in readers))
        what = choice.replace("_", " ")
        expected = f"left out with {what} '{chosen[choice]}'"
        command = str(ctx.command.name)
        raise check.fail(name.replace("_", "-"), command, expected, text, f"It is an option of {what} {members}.")


def names_of(setting: Setting) -> tuple[str, ...]:
    """The names that a setting takes on the command line; none if it takes a number."""
    kind = setting.option.kind
    if not isinstance(kind, (Choice, Variant)):
        return ()
    return tuple(kind.names) if setting.word is None else (setting.word, *kind.names)


def _is_switch(setting: Setting) -> bool:
    """Whether the option takes no value."""
    return isinstance(setting.option.kind, Flag)


def _help(setting: Setting, members: Mapping[str, Collection[str]]) -> str:
    """The help of a setting, the names that it takes, and the choice that it belongs to.

    Args:
        setting: of the option.
        members: the names to choose from, by the option that chooses.
    """
    text, names = setting.option.help, names_of(setting)
    if setting.part is not None:
        text = f"{setting.label}. {text}"
    summaries = _summaries(setting)
    if summaries:
        text += "".join(f" {name}: {summary}." for name, summary in summaries.items())
    elif names:
        text += f" One of: {', '.join(names)}."
    readers = [reader[-1] for reader in setting.readers if reader]
    for choice in dict.fromkeys(choice for choice, _ in readers):
        having = list(dict.fromkeys(member for other, member in readers if other == choice))
        if set(having) != set(members.get(choice, having)):
            flag = choice.replace("_", "-")
            text += f" Only with --{flag} {' or '.join(filter(None, (', '.join(having[:-1]), having[-1])))}."
    return text


def _summaries(setting: Setting) -> dict[str, str]:
    """What the members of a registry of classes are, by name; empty for another setting."""
    kind = setting.option.kind
    entries = kind.registry if isinstance(kind, Variant) else {}
    if not all(isinstance(entry, type) and entry.summary for entry in entries.values()):
        return {}
    return {name: entry.summary for name, entry in entries.items()}
