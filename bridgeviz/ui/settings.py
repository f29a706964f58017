"""The settings that every page shares: sidebar controls <-> the link <-> `RunConfig`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from bridgeviz import InputError, RunConfig
from bridgeviz.ui import doors, router
from bridgeviz.ui.controls import COST_KEYS, DEFAULTS, GRIDS, HELP, LIMITS, NAMED, OPTION_LABELS, SAMPLE, WHOLE, WORDS

_BAD, _KEPT, _PLACE = "_bad_link", "_settings", "_settings_page"


def sidebar(*, training: bool = False) -> RunConfig:
    """The shared controls, in the sidebar; what they say, as a config.

    The values live in the link and survive moving between pages. A wrong value in the link stops the page with a
    plain message and a way out.

    Args:
        training: also show the settings that only training reads.
    """
    router.ensure()
    _check_link()
    _carry_over()
    with st.sidebar:
        _name("dataset", "Dataset")
        if _now("dataset") == "blobs":
            _bound(st.slider, "overlap", "Overlap of the classes", min_value=0.0, max_value=1.0, step=0.05)
        _grid("percent", "Paired samples, %")
        room = st.empty()
        _name("strategy", "Strategy")
        if _now("strategy") != "true":
            _name("cost", "Cost")
        if _now("strategy") != "true":
            _name("solver", "Solver")
            if _now("solver") == "fgw":
                _grid("alpha", "Alpha")
        if training:
            _grid("steps", "Training steps")
        with st.expander("More settings"):
            if _now("strategy") != "true":
                _grid("epsilon", "Epsilon")
                _grid("tau_x", "Tau of the source")
                _grid("tau_y", "Tau of the target")
                _cost_options(_now("cost"))
                _name("metric", "Metric")
            if _now("strategy") == "local":
                _grid("ot_batch", "Rows of a batch's transport")
            _grid("rows", "Rows a side")
            _bound(st.checkbox, "reverse", "Other direction")
            _bound(st.checkbox, "cover", "At least one pair a class")
            _bound(st.number_input, "seed", "Seed", min_value=0, max_value=9999, step=1)
            if training:
                _name("velocity", "Network")
                _grid("learning_rate", "Learning rate")
                _grid("batch_size", "Batch size")
                _grid("ema", "Average of the weights")
        st.button("Reset settings", on_click=reset, type="tertiary", icon=":material/restart_alt:")
    st.session_state[_KEPT] = {key: _now(key) for key in DEFAULTS}
    with doors.guard():
        config = to_config(st.session_state[_KEPT])
        problem = doors.problem(config)
        known = 0 if problem.truth is None else len(problem.truth)
        used = len(doors.pairs(config))
        unused = "; alpha 1 compares shapes alone and uses none of them" if config.pure_shapes else ""
        room.caption(f"{used:,} of {known:,} known pairs{unused}")
    return config


def current() -> RunConfig:
    """What the controls say now; for callbacks."""
    return to_config({key: _now(key) for key in DEFAULTS})


def apply(config: RunConfig) -> None:
    """Set every control to a config; call it from a widget's callback, before the controls are drawn."""
    for key, value in from_config(config).items():
        st.session_state[key] = value
    st.session_state[_KEPT] = from_config(config)
    st.session_state.pop(_BAD, None)


def reset() -> None:
    """Every control back to its default, and a bad link forgotten; a callback."""
    st.session_state.pop(_BAD, None)
    for key, value in DEFAULTS.items():
        st.session_state[key] = value
    st.session_state[_KEPT] = dict(DEFAULTS)


def to_config(values: dict[str, Any]) -> RunConfig:
    """The config that control values stand for.

    Raises:
        InputError: a value that `RunConfig` refuses.
    """
    return RunConfig(
        dataset=values["dataset"],
        options={"overlap": float(values["overlap"])} if values["dataset"] == "blobs" else {},
        reverse=bool(values["reverse"]),
        rows=None if values["rows"] == "all" else int(values["rows"]),
        fraction=float(values["percent"]) / 100,
        cover_classes=bool(values["cover"]),
        strategy=values["strategy"],
        cost=values["cost"],
        cost_options=_options_of(values),
        metric=None if values["metric"] == "auto" else values["metric"],
        solver=values["solver"] if values["strategy"] != "true" else "linear",
        alpha=float(values["alpha"]),
        ot_batch_size=None if values["ot_batch"] == "auto" else int(values["ot_batch"]),
        epsilon=None if values["epsilon"] == "auto" else float(values["epsilon"]),
        tau=(float(values["tau_x"]), float(values["tau_y"])),
        velocity=values["velocity"],
        steps=int(values["steps"]),
        batch_size=int(values["batch_size"]),
        learning_rate=float(values["learning_rate"]),
        ema=None if values["ema"] == "off" else float(values["ema"]),
        seed=int(values["seed"]),
    )


def _options_of(values: dict[str, Any]) -> dict[str, Any]:
    """The options of the chosen cost that differ from what it takes by itself."""
    found: dict[str, Any] = {}
    for key, name in COST_KEYS.get(values["cost"], {}).items():
        value = values[key]
        if value != DEFAULTS[key]:
            found[name] = value if key in NAMED else (int(value) if key in WHOLE else float(value))
    return found


def use_sample() -> None:
    """Align a sample of the rows; a callback."""
    st.session_state["rows"] = str(SAMPLE)
    st.session_state[_KEPT] = {**st.session_state.get(_KEPT, DEFAULTS), "rows": str(SAMPLE)}


def from_config(config: RunConfig) -> dict[str, Any]:
    """The control values of a config: `to_config` the other way round."""
    return {
        "dataset": config.dataset,
        "overlap": float(config.options.get("overlap", DEFAULTS["overlap"])),
        "reverse": config.reverse,
        "percent": f"{100 * (config.fraction or 0.02):g}",
        "cover": config.cover_classes,
        "strategy": config.strategy,
        "cost": config.cost,
        "solver": config.solver,
        "alpha": f"{config.alpha:g}",
        **{key: DEFAULTS[key] for key in ("k", "a", "diffusion_form", "knn_form", "power", "shrinkage")},
        **{
            key: value if isinstance(value := config.cost_options[name], str) else f"{value:g}"
            for key, name in COST_KEYS[config.cost].items()
            if name in config.cost_options
        },
        "metric": config.metric or "auto",
        "ot_batch": "auto" if config.ot_batch_size is None else str(config.ot_batch_size),
        "rows": "all" if config.rows is None else str(config.rows),
        "epsilon": "auto" if config.epsilon is None else f"{config.epsilon:g}",
        "tau_x": f"{config.tau[0]:g}",
        "tau_y": f"{config.tau[1]:g}",
        "seed": config.seed,
        "velocity": config.velocity,
        "steps": str(config.steps),
        "learning_rate": f"{config.learning_rate:g}",
        "batch_size": str(config.batch_size),
        "ema": "off" if config.ema is None else f"{config.ema:g}",
    }


def link(config: RunConfig) -> dict[str, str]:
    """The part of a link after the question mark: what differs from the defaults."""
    values = from_config(config)
    plain = {True: "true", False: "false"}
    return {k: plain.get(v, str(v)) if isinstance(v, bool) else str(v) for k, v in values.items() if v != DEFAULTS[k]}


def complaint(key: str, text: str) -> str | None:
    """What is wrong with a value from a link, in one sentence; None if nothing is."""
    if key in NAMED:
        known = ", ".join(NAMED[key])
        return None if text in NAMED[key] else f"The link asks for {key}={text[:40]}. It must be one of: {known}."
    if key in ("reverse", "cover"):
        return None if text in ("true", "false") else f"The link asks for {key}={text[:40]}. It must be true or false."
    if text == WORDS.get(key):
        return None
    low, high = LIMITS[key]
    kind = "a whole number" if key in WHOLE else "a number"
    also = f", or {WORDS[key]}" if key in WORDS else ""
    wrong = f"The link asks for {key}={text[:40]}. It must be {kind} from {low:g} to {high:g}{also}."
    try:
        number = float(text)
    except ValueError:
        return wrong
    if not low <= number <= high or (key in WHOLE and number != int(number)):
        return wrong
    return None


def _check_link() -> None:
    """Stop with a message if the link holds a value that can't be used."""
    given = st.query_params.to_dict()
    bad = [said for key in DEFAULTS if key in given and (said := complaint(key, given[key]))]
    if bad:
        st.session_state[_BAD] = bad
    if st.session_state.get(_BAD):
        for said in st.session_state[_BAD]:
            st.error(said, icon=":material/link_off:")
        st.button("Reset settings", on_click=_reset_link, type="primary")
        st.stop()


def _reset_link() -> None:
    for key in DEFAULTS:
        if key in st.query_params:
            del st.query_params[key]
    reset()


def _now(key: str) -> Any:
    """What a control says, whether it is drawn on this page or not."""
    if key in st.session_state:
        return st.session_state[key]
    return st.session_state.get(_KEPT, {}).get(key, DEFAULTS[key])


def _carry_over() -> None:
    """After a move to another page, say every value again: the bound controls of a new page start from their default.

    What a control that was out of sight had is restored as well.
    """
    kept = st.session_state.get(_KEPT, {})
    moved = st.session_state.get(_PLACE) != router.here()
    for key, value in kept.items():
        if moved or key not in st.session_state:
            st.session_state[key] = value
            if value != DEFAULTS[key] and key not in st.query_params:
                with suppress(StreamlitAPIException):  # bound on the page before, whose hold on the link may linger
                    st.query_params[key] = str(value).lower()
    st.session_state[_PLACE] = router.here()


def _bound(widget: Callable[..., Any], key: str, label: str, **more: Any) -> Any:
    """A control bound to the link."""
    at = {} if "options" in more else {"value": DEFAULTS[key]}
    return widget(label, key=key, help=HELP[key], bind="query-params", persist_state="session", **at, **more)


def _name(key: str, label: str) -> None:
    options = NAMED[key]
    _bound(st.selectbox, key, label, options=options, index=options.index(DEFAULTS[key]))


def _cost_options(cost: str) -> None:
    """The controls of what the chosen cost reads."""
    for key in COST_KEYS.get(cost, {}):
        (_name if key in NAMED else _grid)(key, OPTION_LABELS[key])


def _grid(key: str, label: str) -> None:
    """A slider over the stops of a number, and over the odd value that a link brought."""
    odd = {value for value in (_now(key), st.query_params.get(key)) if value and value not in GRIDS[key]}
    options = sorted({*GRIDS[key], *odd}, key=lambda text: -1.0 if text == WORDS.get(key) else float(text))
    _bound(st.select_slider, key, label, options=options, value=DEFAULTS[key])


__all__ = ["DEFAULTS", "InputError", "apply", "current", "from_config", "link", "reset", "sidebar", "to_config"]
