"""`Aligner`: a run behind the interface of scikit-learn's transformers."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from bridgeviz import _checks as check
from bridgeviz._weights import weights
from bridgeviz.costs import CostOptions, Forbidden, as_forbidden, cosine, refuse_forbidden_pairs
from bridgeviz.couplings import Alignment, SolverOptions
from bridgeviz.experiments._config import DataConfig, PairsConfig, RunConfig
from bridgeviz.experiments._flat import assemble, leaves
from bridgeviz.experiments._paired_rows import matrix, paired_rows
from bridgeviz.experiments._report import report
from bridgeviz.experiments._run import run
from bridgeviz.flows import VelocityOptions
from bridgeviz.metrics import arrivals
from bridgeviz.problem import Problem, Space


class Aligner(TransformerMixin, BaseEstimator):
    """Learn from a few paired samples to carry one space to another: `bv.run` as a transformer of scikit-learn.

    `fit` couples the rows of X with those of Y (Algorithm 1) and trains the flow; `transform` carries new rows of the
    first space to the second. As in scikit-learn, parameters are checked by `fit`, not by the constructor. Those that
    are None leave the default of `RunConfig`, or of the object that they belong to.

    Args:
        cost: how far a source row is from a target row: a name, or an object such as `costs.KNN(k=5)`. "auto" lets
            `bv.recommend` choose one by held-out pairs.
        cost_options: options of the cost, such as `{"k": 5}`.
        metric: distance within each space: "cosine", "sqeuclidean" or "pearson".
        strategy: "global", "local" or "true" (the pairs alone), or an object.
        solver: "linear" or "fgw", or an object.
        alpha: weight of the Gromov-Wasserstein term of "fgw", in [0, 1].
        epsilon: entropy regularisation > 0, in units of the mean cost; None takes what suits the cost.
        tau: (tau_x, tau_y), each in (0, 1] (Eq. 28); 1 gives every row of that side the same mass.
        velocity: the network: a name such as "adaln-small", or an object.
        steps: training steps.
        batch_size: pairs per training step.
        learning_rate: initial learning rate of the training.
        n_draws: what `transform` returns. None: the conditional mean E[y | x], which the flow gives without an ODE,
            row by row: the prediction of least squared error. 1: one draw from pi(. | x) per row (Eq. 12), which has
            the spread of the target. k > 1: the mean of k draws. All three are the same at every call.
        seed: of every draw.
        settings: other settings of `RunConfig` by name, such as `{"ot_batch_size": 512, "ema": 0.999}`.

    Attributes:
        run_: the `Run`, with losses, seconds and the settings that were used.
        plan_, flow_, cost_: its coupling, flow and cost; the cost is None for strategy "true".
        pairs_: (l, 2) the pairs as row numbers of the plan.
        report_: the settings and results as plain values for JSON.
        n_features_in_: the columns of X.
        feature_names_in_: their names, where X was a table with column names.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> x, y, pairs = problem.source.x, problem.target.x, problem.sample_pairs(fraction=0.2)
    >>> aligner = bv.Aligner(cost="bridge", velocity=bv.flows.AdaLN(d=32, blocks=1), steps=50)
    >>> aligner = aligner.fit(x, y, pairs=pairs)
    >>> aligner.transform(x[:5]).shape, aligner.similarity(x[:5]).shape
    ((5, 4), (5, 100))
    """

    def __init__(
        self,
        cost: str | CostOptions = "auto",
        *,
        cost_options: dict[str, Any] | None = None,
        metric: str | None = None,
        strategy: str | Alignment = "global",
        solver: str | SolverOptions | None = None,
        alpha: float | None = None,
        epsilon: float | None = None,
        tau: tuple[float, float] | None = None,
        velocity: str | VelocityOptions = "adaln-small",
        steps: int = 4000,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        n_draws: int | None = None,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
    ):
        self.cost = cost
        self.cost_options = cost_options
        self.metric = metric
        self.strategy = strategy
        self.solver = solver
        self.alpha = alpha
        self.epsilon = epsilon
        self.tau = tau
        self.velocity = velocity
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_draws = n_draws
        self.seed = seed
        self.settings = settings

    def fit(
        self,
        X: ArrayLike | None = None,
        Y: ArrayLike | None = None,
        *,
        pairs: ArrayLike | None = None,
        paired_x: ArrayLike | None = None,
        paired_y: ArrayLike | None = None,
        source_weights: ArrayLike | None = None,
        target_weights: ArrayLike | None = None,
        forbidden: ArrayLike | Forbidden | None = None,
    ) -> Self:
        """Couple two spaces and train the flow.

        Pass the paired samples as row numbers, `pairs`, or as two matrices whose rows correspond, `paired_x` and
        `paired_y`; or both. The matrices are stacked below X and Y, so X and Y should not repeat their rows. In a
        `Pipeline`, use `pairs`: the steps before this one transform X only. Weights and forbidden matches refer to the
        rows as they are then stacked, n of the source and m of the target.

        Args:
            X: (n, p) source rows: an array, a table or a sparse matrix. None: `paired_x` alone.
            Y: (m, q) target rows. None: `paired_y` alone.
            pairs: (l, 2) row numbers (source, target), or a table with the columns source and target.
            paired_x: (k, p) source rows.
            paired_y: (k, q) target rows, in the same order.
            source_weights, target_weights: (n,) and (m,) how much of the mass each row carries, as `sample_weight`
                does elsewhere: >= 0 and finite, divided by their sum. None: all rows carry the same.
            forbidden: matches that may carry no mass: an (n, m) boolean mask, (k, 2) row numbers (source, target), or
                `bv.costs.Forbidden.classes(...)` for whole classes.

        Raises:
            InputError: a wrong parameter, no pairs, or matrices that don't fit one another, weights or forbidden
                matches that don't fit the matrices, or pairs that are forbidden.
            TrainingError: the training diverged.

        Warns:
            ConvergenceWarning: the coupling did not converge; the text says what to try.
        """
        config = self._config()
        self._draws()
        given = paired_rows(X, Y, pairs=pairs, paired_x=paired_x, paired_y=paired_y)
        spaces = (
            Space(given.x, weights=_weights(source_weights, X, "source_weights", len(given.x))),
            Space(given.y, weights=_weights(target_weights, Y, "target_weights", len(given.y))),
        )
        if forbidden is not None:
            forbidden = as_forbidden(forbidden, shape=(len(given.x), len(given.y)), where="fit")
            refuse_forbidden_pairs(forbidden, given.pairs, "fit")
        self.run_ = run(config, problem=Problem(*spaces, forbidden=forbidden), pairs=given.pairs)
        self.plan_, self.flow_, self.cost_ = self.run_.plan, self.run_.flow, self.run_.cost
        self.pairs_ = np.asarray(self.run_.pairs)
        self.n_features_in_ = given.x.shape[1]
        self._target_names = given.y_names
        if given.x_names is not None:
            self.feature_names_in_ = given.x_names
        elif hasattr(self, "feature_names_in_"):  # left from an earlier fit
            del self.feature_names_in_
        if not self.plan_.converged:
            warnings.warn(self.plan_.verdict.text, ConvergenceWarning, stacklevel=2)
        return self

    def transform(self, X: ArrayLike) -> Float[np.ndarray, "n q"]:
        """Carry source rows to the target space, in its units and precision; see `n_draws`.

        Args:
            X: (n, p) source rows, any n >= 1.

        Raises:
            NotFittedError: `fit` was not called.
            InputError: another number of columns, other column names, or a wrong `n_draws`.
        """
        check_is_fitted(self)
        x = matrix(X, "X", "transform", names=getattr(self, "feature_names_in_", None), columns=self.n_features_in_)
        draws, flow, seed = self._draws(), self.flow_, self.run_.config.seed
        if draws is None:
            ends = flow.mean(x, seed=seed)
        elif draws == 1:
            ends = flow.transport(x, seed=seed, ts=(1.0,)).states[0]
        else:
            ends = flow.draws(x, samples=draws, seed=seed).mean
        return ends.astype(flow.target.dtype)

    def fit_transform(
        self,
        X: ArrayLike | None,
        Y: ArrayLike | None = None,
        *,
        pairs: ArrayLike | None = None,
        paired_x: ArrayLike | None = None,
        paired_y: ArrayLike | None = None,
        **more: Any,
    ) -> Float[np.ndarray, "n q"]:
        """`fit`, and then `transform` of X (of `paired_x` where X is None); arguments as for `fit`."""
        self.fit(X, Y, pairs=pairs, paired_x=paired_x, paired_y=paired_y, **more)
        return self.transform(paired_x if X is None else X)  # pyright: ignore[reportArgumentType]

    def similarity(self, X: ArrayLike, Y: ArrayLike | None = None) -> Float[np.ndarray, "n m"]:
        """How near each transformed source row is to each target row: larger is nearer.

        The cosine (Eq. 25), in [-1, 1]. In fewer than three dimensions, or with a row at zero, angles say little: then
        it is minus the squared Euclidean distance.

        Args:
            X: (n, p) source rows, any n >= 1.
            Y: (m, q) target rows, any m >= 1; None takes those of `fit`.

        Raises:
            NotFittedError: `fit` was not called.
            InputError: matrices that don't fit the spaces, or a result beyond the memory limit.
        """
        check_is_fitted(self)
        known = self.run_.problem.target.x
        y = known if Y is None else matrix(Y, "Y", "similarity", names=self._target_names, columns=known.shape[1])
        ends = np.asarray(self.transform(X))
        distance = arrivals(ends, y)
        return (1.0 if distance.combine is cosine else 0.0) - distance.dense()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns that `transform` returns: those of Y, or aligner0, aligner1, ...

        Args:
            input_features: not used; it is there because scikit-learn passes it.
        """
        check_is_fitted(self)
        if self._target_names is not None:
            return self._target_names.copy()
        q = self.run_.problem.target.x.shape[1]
        return np.array([f"{type(self).__name__.lower()}{column}" for column in range(q)], dtype=object)

    @property
    def report_(self) -> dict[str, Any]:
        """The settings and results of the run as plain values for JSON."""
        check_is_fitted(self)
        return report(self.run_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags

    def _config(self) -> RunConfig:
        """The settings of the run, checked."""
        params = self.get_params(deep=False)
        own = {name: value for name, value in params.items() if value is not None}
        own.pop("n_draws", None)
        more = own.pop("settings", {})
        if not isinstance(more, dict):
            raise check.fail("settings", "Aligner", "a dict of settings of RunConfig", check.describe(more))
        for name in more.keys() & params.keys():
            hint = "Pass it by its own name."
            raise check.fail("settings", "Aligner", "free of parameters of Aligner()", f"'{name}'", hint)
        further = [name for name in _further_settings() if name not in params]
        check.options({str(name): value for name, value in more.items()}, further, "Aligner")
        return RunConfig(**assemble(RunConfig, {"dataset": "yours"} | own | more, where="Aligner"))

    def _draws(self) -> int | None:
        return None if self.n_draws is None else check.count(self.n_draws, "n_draws", "Aligner")


def _weights(value: ArrayLike | None, rows: Any, name: str, length: int) -> np.ndarray | None:
    """Checked weights, in the order of the rows where both carry an index."""
    return None if value is None else weights(check.aligned(value, rows, name, "fit"), name, "fit", length=length)


def _further_settings() -> list[str]:
    """The flat names of a run's settings, without those of its data and pairs, which are arguments of `fit`."""
    read = [leaf for leaf in leaves(RunConfig) if leaf.owner not in (DataConfig, PairsConfig)]
    return sorted({name for leaf in read if "dataset" not in dict(leaf.needs) for name in (leaf.field, leaf.name)})
