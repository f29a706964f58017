"""The results of the stages: a bounded store for all sessions and jobs of a server."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from bridgeviz.experiments import Finished, Pipeline, Update

LIMITS = {"load": 6, "pairs": 32, "recommend": 32, "cost": 8, "coupling": 8}
"""How many results of each stage are kept, the most recently used ones; those of other stages are not kept."""

Key = tuple[Any, ...]


class Results(MutableMapping[Key, Finished]):
    """Results by ("stage", *config.key("stage")), for the `known` of a `Pipeline`. All methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[str, OrderedDict[Key, Finished]] = {stage: OrderedDict() for stage in LIMITS}
        self._claims: dict[Key, _Claim] = {}

    def __getitem__(self, key: Key) -> Finished:
        with self._lock:
            if key[0] not in self._stages:
                raise KeyError(key)
            stage = self._stages[key[0]]
            result = stage[key]
            stage.move_to_end(key)
            return result

    def __setitem__(self, key: Key, result: Finished) -> None:
        with self._lock:
            if key[0] not in self._stages:
                return
            stage = self._stages[key[0]]
            stage[key] = result
            stage.move_to_end(key)
            while len(stage) > LIMITS[key[0]]:
                stage.popitem(last=False)

    def __delitem__(self, key: Key) -> None:
        with self._lock:
            del self._stages[key[0]][key]

    def __iter__(self) -> Iterator[Key]:
        with self._lock:
            return iter([key for stage in self._stages.values() for key in stage])

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._stages.values()))

    @contextmanager
    def claim(self, key: Key, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the only right to solve one result while the block runs; results that are not kept need none.

        Args:
            key: of the result.
            waiting: called ten times per second while another thread solves it; raise from it to stop waiting.
        """
        if key[0] not in LIMITS:
            yield
            return
        with self._lock:
            claim = self._claims.setdefault(key, _Claim())
            claim.users += 1
        try:
            while not claim.lock.acquire(timeout=0.1):
                waiting()
            try:
                yield
            finally:
                claim.lock.release()
        finally:
            with self._lock:
                claim.users -= 1
                if claim.users == 0:
                    del self._claims[key]


class _Claim:
    """The right to solve one result, and how many threads hold it or wait for it."""

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0


@st.cache_resource(show_spinner=False)
def results() -> Results:
    """The one store of this server."""
    return Results()


def updates(
    pipeline: Pipeline, known: Results, waiting: Callable[[], None] = lambda: None
) -> Generator[Update, None, None]:
    """The updates of a pipeline, with every result that is kept solved by one thread: others wait, and then find it.

    Args:
        pipeline: with `known` among its arguments.
        known: the store.
        waiting: called now and then while another thread solves what this one needs; raise from it to stop.
    """
    for stage in pipeline.stages():
        end = []
        with known.claim((stage, *pipeline.config.key(stage)), waiting):
            for update in pipeline.stage(stage):
                if update.finished is not None:
                    end.append(update)
                else:
                    yield update
        yield from end  # the caller may pause here, so others must no longer wait
