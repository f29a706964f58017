"""Cached doors to the engine: each keyed by the settings that its stage reads, so that epsilon never reloads a problem.

What is cached is shared by all sessions and must not be changed. Every cache is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import streamlit as st

from bridgeviz import DataMissing, InputError, Pairs, Problem, RunConfig, TrainingError, metrics
from bridgeviz.costs import Cost, TooLarge
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.experiments.run import build_cost, build_coupling, load_problem, sample_pairs


class Key:
    """A config together with the hashable part of it that one stage depends on."""

    def __init__(self, config: RunConfig, *parts: object):
        self.config = config
        self.parts = parts

    def __repr__(self) -> str:
        return f"Key{self.parts}"


def problem_key(config: RunConfig) -> tuple:
    """Everything that the two spaces depend on, hashable."""
    return (
        config.dataset,
        tuple(sorted(config.options.items())),
        config.reverse,
        config.rows,
        config.rows and config.seed,
    )


def pairs_key(config: RunConfig) -> tuple:
    """Everything that the pairs depend on, hashable."""
    return *problem_key(config), config.fraction, config.count, config.cover_classes, config.seed


def cost_key(config: RunConfig) -> tuple:
    """Everything that the cost depends on, hashable."""
    if config.strategy == "true":
        return *pairs_key(config), None
    return *pairs_key(config), config.cost, tuple(sorted(config.cost_options.items())), config.distance


def _plan_parts(config: RunConfig) -> tuple:
    rest: tuple = () if config.strategy == "true" else (config.epsilon, config.tau)
    if config.strategy == "local":
        rest = (*rest, config.batch_size, config.ot_batch_size)
    if config.strategy != "true":
        rest = (*rest, config.solver, config.alpha if config.solver == "fgw" else None)
    return *cost_key(config), config.strategy, *rest


def problem(config: RunConfig) -> Problem:
    """The dataset of a config, the right way round."""
    return _problem(Key(config, *problem_key(config)))


def pairs(config: RunConfig) -> Pairs:
    """The paired samples that a config may use."""
    return _pairs(Key(config, *pairs_key(config)))


def cost(config: RunConfig) -> Cost | None:
    """The cost between the spaces; None for strategy "true"."""
    return _cost(Key(config, *cost_key(config)))


def plan(config: RunConfig) -> Coupling | LocalCoupling:
    """The coupling."""
    return _plan(Key(config, *_plan_parts(config)))


def overlap(config: RunConfig, side: str) -> np.ndarray:
    """For each point of the "source" or "target", the share of its 15 nearest neighbours of another class."""
    return _overlap(Key(config, *problem_key(config), side), side)


def key(config: RunConfig) -> tuple:
    """Everything that a plan depends on, hashable: equal keys mean the same plan."""
    return _plan_parts(config)


@contextmanager
def guard() -> Iterator[None]:
    """Turn what the engine refuses into one plain sentence with a way out, and stop the page."""
    try:
        yield
    except TooLarge as error:
        refuse_too_large(str(error))
    except DataMissing as error:
        refuse(str(error), "Pick another dataset in the sidebar, or reset the settings.")
    except (InputError, TrainingError) as error:
        refuse(str(error), "Change the setting in the sidebar, or reset them all.")


def refuse(said: str, way_out: str) -> None:
    """Show what went wrong and the way out, and stop the page."""
    from bridgeviz.ui import settings

    st.error(said, icon=":material/error:")
    st.caption(way_out)
    st.button("Reset settings", key="_way_out", on_click=settings.reset, type="primary")
    st.stop()


def refuse_too_large(said: str) -> None:
    """Show the size that was refused, and offer a sample of the rows."""
    from bridgeviz.ui import settings

    st.error(said, icon=":material/memory:")
    st.button(
        f"Use a sample of {settings.SAMPLE:,} rows a side", key="_sample", on_click=settings.use_sample, type="primary"
    )
    st.button("Reset settings", key="_way_out", on_click=settings.reset)
    st.stop()


_hash: dict[str | type, Callable[[Any], Any]] = {Key: lambda key: repr(key.parts)}


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_hash)
def _problem(key: Key) -> Problem:
    return load_problem(key.config)


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=_hash)
def _pairs(key: Key) -> Pairs:
    return sample_pairs(problem(key.config), key.config)


@st.cache_resource(max_entries=8, show_spinner="Measuring the cost …", hash_funcs=_hash)
def _cost(key: Key) -> Cost | None:
    return build_cost(problem(key.config), pairs(key.config), key.config)


@st.cache_resource(max_entries=8, show_spinner="Solving the transport …", hash_funcs=_hash)
def _plan(key: Key) -> Coupling | LocalCoupling:
    return build_coupling(problem(key.config), pairs(key.config), cost(key.config), key.config)


@st.cache_data(max_entries=12, show_spinner="Measuring the overlap …", hash_funcs=_hash)
def _overlap(key: Key, side: str) -> np.ndarray:
    space = getattr(problem(key.config), side)
    if space.labels is None:
        raise InputError(f"The {side} has no labels, so its classes can't overlap.")
    return metrics.point_overlap(space.x, space.labels, k=min(15, len(space) - 1))
