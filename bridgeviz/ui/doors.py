"""Cached doors to the engine: each keyed by the settings that its stage reads, so that epsilon never reloads a problem.

What is cached is shared by all sessions and must not be changed. Every cache is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import streamlit as st

from bridgeviz import DataMissing, InputError, Pairs, Problem, RunConfig, TrainingError, datasets, metrics
from bridgeviz.costs import Cost
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.experiments.run import build_cost, build_coupling, sample_pairs


class Key:
    """A config together with the hashable part of it that one stage depends on."""

    def __init__(self, config: RunConfig, *parts: object):
        self.config = config
        self.parts = parts

    def __repr__(self) -> str:
        return f"Key{self.parts}"


def _problem_parts(config: RunConfig) -> tuple:
    return config.dataset, tuple(sorted(config.options.items())), config.reverse


def _pairs_parts(config: RunConfig) -> tuple:
    return *_problem_parts(config), config.fraction, config.count, config.cover_classes, config.seed


def _cost_parts(config: RunConfig) -> tuple:
    none = config.strategy == "true"
    return *_pairs_parts(config), none, None if none else config.cost, None if none else config.metric


def _plan_parts(config: RunConfig) -> tuple:
    size = config.batch_size if config.strategy == "local" else None
    rest = () if config.strategy == "true" else (config.epsilon, config.tau, size, config.solver)
    return *_cost_parts(config), config.strategy, *rest


def problem(config: RunConfig) -> Problem:
    """The dataset of a config, the right way round."""
    return _problem(Key(config, *_problem_parts(config)))


def pairs(config: RunConfig) -> Pairs:
    """The paired samples that a config may use."""
    return _pairs(Key(config, *_pairs_parts(config)))


def cost(config: RunConfig) -> Cost | None:
    """The cost between the spaces; None for strategy "true"."""
    return _cost(Key(config, *_cost_parts(config)))


def plan(config: RunConfig) -> Coupling | LocalCoupling:
    """The coupling."""
    return _plan(Key(config, *_plan_parts(config)))


def overlap(config: RunConfig, side: str) -> np.ndarray:
    """For each point of the "source" or "target", the share of its 15 nearest neighbours of another class."""
    return _overlap(Key(config, *_problem_parts(config), side), side)


def key(config: RunConfig) -> tuple:
    """Everything that a plan depends on, hashable: equal keys mean the same plan."""
    return _plan_parts(config)


@contextmanager
def guard() -> Iterator[None]:
    """Turn what the engine refuses into one plain sentence with a way out, and stop the page."""
    try:
        yield
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


_hash: dict[str | type, Callable[[Any], Any]] = {Key: lambda key: repr(key.parts)}


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_hash)
def _problem(key: Key) -> Problem:
    found = datasets.load(key.config.dataset, **key.config.options)
    return found.reversed() if key.config.reverse else found


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
