"""The base of every data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bridgeviz._options import Options
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.encoders import Progress
from bridgeviz.problem import Problem


@dataclass(frozen=True, kw_only=True)
class DatasetOptions(Options, ABC):
    """A data set: its options, and how to load it.

    A data set that needs raw files, trains its own models or runs an encoder overrides `fetch`, `pretrain` or `encode`.

    Attributes:
        title: one line for lists and menus.
        card: where it comes from, its licence and its traps.
    """

    where = "load"
    title: ClassVar[str] = ""
    card: ClassVar[Card | None] = None

    @abstractmethod
    def load(self) -> Problem:
        """The problem to align.

        Raises:
            DataMissing: its files are not on this machine.
        """

    def fetch(self) -> Path | None:
        """Download the raw files, or find them, and check their contents; None if there is nothing to fetch."""
        return None

    def pretrain(self, out: Path) -> Iterator[tuple[str, int, int, float]] | None:
        """Train the frozen models and write them to `out`; yields (model, step, steps, loss). None without models."""
        return None

    def encode(self, out: Path) -> Iterator[str | Progress] | None:
        """Run the frozen encoders and write their features to `out`; yields progress. None without encoders.

        A data set may take keyword arguments here, such as `vision`. They are options of `bridgeviz features`.
        """
        return None

    def head_accuracy(self) -> float | None:
        """The accuracy of the source model's own classifier on the test split; None if it has none, or is unknown."""
        return None

    @classmethod
    def home(cls) -> Path:
        """The folder that `pretrain` and `encode` write to by default."""
        return paths.home(cls.name.replace("-", "_"))
