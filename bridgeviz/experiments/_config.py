"""The settings of a run: one frozen dataclass per stage of Algorithm 1, nested in `RunConfig`."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, fields
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._options import Count, Flag, Group, Options, Seed, Unit, Variant, option, options_of
from bridgeviz._pair_edits import Edits
from bridgeviz.costs import COSTS, Bridge, CostOptions
from bridgeviz.couplings import STRATEGIES, Alignment, Global
from bridgeviz.datasets import DATASETS, DatasetOptions, Digits, Yours
from bridgeviz.experiments._auto import Auto
from bridgeviz.experiments._flat import assemble, flat_value, flatten, leaves, plain
from bridgeviz.flows import FlowConfig

FRACTION = 0.02
"""The share of the known pairs that is used by default."""

STAGES = ("load", "pairs", "recommend", "cost", "coupling", "training", "evaluation")
"""The stages of a run, in order."""

# A ChainMap lists its last mapping first.
DATASET_NAMES: ChainMap[str, Any] = ChainMap({Yours.name: Yours}, DATASETS)
COST_NAMES: ChainMap[str, Any] = ChainMap({Auto.name: Auto}, COSTS)


@dataclass(frozen=True, kw_only=True)
class DataConfig(Options):
    """What is aligned.

    Attributes:
        dataset: a data set of `bv.datasets.DATASETS`, by name or as an object; "yours" for a problem that is passed to
            `run`.
        rows: size of a random sample of rows per side; None takes all.
        reverse: align target -> source instead.
        seed: of that sample; 0 where all rows are taken.
    """

    where = "RunConfig"
    dataset: DatasetOptions = option(
        Variant(DATASET_NAMES, DatasetOptions), Digits(), label="Dataset", main=True,
        help="What is aligned. Handwriting is matched with label codes; blobs and the Swiss roll are synthetic.",
    )  # fmt: skip
    rows: int | None = option(
        Count(least=2), None, label="Rows per side", word="all", stops=("500", "1000", "2000", "5000"),
        limits=(20, 100_000), help="Align a random sample of this many rows per side.",
    )  # fmt: skip
    reverse: bool = option(
        Flag(), False, label="Other direction",
        help="Carry the target to the source instead, such as labels to pictures.",
    )  # fmt: skip
    seed: int = option(Seed(), 0, help="Seed of the sample of rows.")

    def __post_init__(self):
        super().__post_init__()
        if self.rows is None:
            object.__setattr__(
                self, "seed", 0
            )  # nothing is drawn: every seed gives the same problem, so they share a key


@dataclass(frozen=True, kw_only=True)
class PairsConfig(Options):
    """Which known pairs may be used.

    Attributes:
        fraction: the share of the known pairs, in [0, 1]; 0.02 unless `count` is given.
        count: the number of pairs, instead of a fraction.
        cover_classes: draw at least one pair of each class first.
        seed: of the draw.
        edits: pairs of a source row and a target row that are added to the draw, and removed from it, as in
            "3:17,-4:20"; "-all" removes all that were drawn.
    """

    where = "RunConfig"
    fraction: float | None = option(
        Unit(zero=True), None, key="percent", label="Paired samples, %", main=True, percent=True,
        stops=("0", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "80", "100"), limits=(0.0, 100.0),
        help="The percentage of the known source-target pairs that may be used. The rest stays hidden. 0 aligns by the "
        "shapes of the two clouds alone, which the cost auto and procrustes_bridge can do.",
    )  # fmt: skip
    count: int | None = option(Count(least=0), None, help="The number of pairs, instead of a fraction.")
    cover_classes: bool = option(
        Flag(), False, key="cover", label="At least one pair per class",
        help="Draw one pair of each class before the rest.",
    )  # fmt: skip
    seed: int = option(
        Seed(), 0, label="Seed", limits=(0, 9999),
        help="Seed of the pairs that are drawn, of the network's initial weights and of the noise.",
    )  # fmt: skip
    edits: str = option(
        Edits(), "", key="edits", label="Pairs changed by hand",
        help="Pairs that are added to the draw (3:17 for source row 3 and target row 17) and removed from it (-4:20).",
    )  # fmt: skip

    def __post_init__(self):
        super().__post_init__()
        if self.fraction is not None and self.count is not None:
            got = f"fraction={self.fraction:g} and count={self.count}"
            raise check.InputError(
                f"RunConfig() takes one of 'fraction' and 'count'. Got {got}. Leave one of them out."
            )
        if self.fraction is None and self.count is None:
            object.__setattr__(self, "fraction", FRACTION)


@dataclass(frozen=True, kw_only=True, init=False)
class RunConfig(Options):
    """Everything that a run depends on; the same config gives the same numbers.

    The settings of each stage are one hashable dataclass, which is that stage's key in every cache, its fingerprint in
    a checkpoint and its part of a report. Users write flat names instead, which are the names of its fields:

    >>> config = RunConfig(dataset="blobs", fraction=0.1, strategy="local", cost="knn", cost_options={"k": 5})
    >>> config.coupling.name, config.cost.k, config.pairs.fraction
    ('local', 5, 0.1)
    >>> config.replace(solver="fgw", alpha=0.25).coupling.solver.alpha
    0.25

    A flat setting that the chosen strategy, solver or cost does not read is checked and left out, so that one set of
    settings serves to compare several of them. Flat names can be read as well (`config.epsilon`).

    Args:
        data, pairs, cost, coupling, flow: the settings of the stages. `cost` takes a name as well.
        settings: flat names, which take precedence: `dataset` and `options` (of the data set, a dict), `rows`,
            `reverse`; `fraction` or `count`, `cover_classes`, `edits` (of the pairs); `cost`, `cost_options` (a dict),
            `metric`; `strategy` ("true", "global" or "local"), `solver` ("linear" or "fgw"), `alpha`, `epsilon`, `tau`,
            `ot_batch_size`; `velocity`, `steps`, `batch_size`, `learning_rate`, `ema`, `reweight`, `precision`, `base`,
            `holdout`, `patience`, `weight_decay`; `seed`, which every stage shares.

    Raises:
        InputError: an unknown name, or a value out of range.
    """

    where = "RunConfig"
    data: DataConfig = option(Group(DataConfig), DataConfig(), help="What is aligned.")
    pairs: PairsConfig = option(Group(PairsConfig), PairsConfig(), help="Which known pairs may be used.")
    cost: CostOptions = option(
        Variant(COST_NAMES, CostOptions), Bridge(), label="Cost", main=True,
        help="How far a source point is from a target point, across the pairs.",
    )  # fmt: skip
    coupling: Alignment = option(
        Variant(STRATEGIES, Alignment), Global(), key="strategy", label="Strategy", main=True,
        help="How the points of the two spaces are coupled.",
    )  # fmt: skip
    flow: FlowConfig = option(Group(FlowConfig), FlowConfig(), help="How the flow is trained.")

    def __init__(self, **settings: Any):
        self._assemble(settings)

    def _assemble(self, settings: dict[str, Any], before: RunConfig | None = None) -> None:
        for field, stage in assemble(RunConfig, settings, where="RunConfig", before=before).items():
            object.__setattr__(self, field, stage)
        if self.needs_pairs:
            name, expected = "fraction", "a float in (0, 1]"
            if self.pairs.count is not None:
                name, expected = "count", "an integer >= 1"
            if not getattr(self.pairs, name) and not self.pairs.edits:
                able = ", ".join(sorted(name for name, cost in COST_NAMES.items() if not cost.needs_pairs))
                raise check.fail(name, "RunConfig", expected, 0, f"Without pairs, the cost must be one of: {able}.")

    @property
    def needs_pairs(self) -> bool:
        """Whether it needs at least one pair: neither a cost nor a solver that works without is chosen."""
        return self.coupling.needs_pairs and (self.cost.needs_pairs or not self.coupling.uses_cost)

    @property
    def seed(self) -> int:
        """The seed that all stages share."""
        return self.flow.seed

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in options_of(RunConfig):
            raise AttributeError(name)
        try:
            return flat_value(self, name)
        except KeyError:
            if any(name in (leaf.name, leaf.field) for leaf in leaves(RunConfig)):
                return None  # a setting that the chosen strategy, solver or cost does not read
            raise AttributeError(f"RunConfig has no setting {name!r}") from None

    def key(self, stage: str) -> tuple[Any, ...]:
        """The settings that the result of a stage depends on, its own and those of the stages before it; hashable."""
        cost = self.cost if self.coupling.uses_cost else None
        needs: dict[str, tuple[Any, ...]] = {
            "load": (self.data,),
            "pairs": (self.data, self.pairs),
            "recommend": (self.data, self.pairs, cost),
            "cost": (self.data, self.pairs, cost),
            "coupling": (self.data, self.pairs, cost, self.coupling),
        }
        return needs.get(stage, (self.data, self.pairs, cost, self.coupling, self.flow))

    def replace(self, **settings: Any) -> RunConfig:
        """The same config with some settings changed, by flat name or stage by stage."""
        config = object.__new__(RunConfig)
        config._assemble(settings, before=self)
        return config

    def as_dict(self) -> dict[str, Any]:
        """Flat plain values, for JSON."""
        return flatten(self)

    def stages(self) -> dict[str, Any]:
        """Plain values stage by stage, with every option: the parts of a report."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """The config of such plain values; unknown names are refused."""
        if not isinstance(values, dict):
            raise check.fail("values", "RunConfig.from_dict", "a dict of settings", check.describe(values))
        return cls(**values)

    def __repr__(self) -> str:
        return f"RunConfig({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"
