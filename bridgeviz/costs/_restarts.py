"""The map that several restarts find, and how far to trust it, without any truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bridgeviz.costs._alternation import BATCH, Judged, agreement, first_rounds, judge, last_rounds, spectral
from bridgeviz.costs._geometric_start import geometric_start
from bridgeviz.costs._sides import Sides, unit
from bridgeviz.costs._similarity_start import similarity_start

WHITENINGS = (0.0, 0.5, 0.0, 0.5)
"""Of the restarts, each of which sees other rows and half of the pairs."""
_SHARE, _ROWS, _GEOMETRIC = 0.75, 1000, 3
_ALIKE = 0.5


@dataclass(frozen=True, eq=False)
class Found:
    """The best map.

    Attributes:
        moment: (p, q) the mean of `x^T y` that it is fitted to.
        judged: what it achieves.
        agreement: the mean cosine between what it and the other restarts make of the same rows, in [-1, 1].
        lead: by which share its transport cost is below that of the best restart that disagrees with it (a cosine below
            a half); None if all agree.
        held_out: the mean cosine of the pairs under the restarts that did not see them; None with fewer than two.
        held_out_error: its standard error.
        rounds: of the alternation.
    """

    moment: Float[np.ndarray, "p q"]
    judged: Judged
    agreement: float
    lead: float | None
    held_out: float | None
    held_out_error: float
    rounds: int


def best_of_restarts(sides: Sides, rng: np.random.Generator) -> Found:
    """Alternate from several starts for ten rounds, take the map with the lowest cost, and go on from there.

    Four restarts begin from the similarity start, each on other three quarters of the rows, in turn with the principal
    directions as they are and half whitened, and with one half of the pairs or the other. Two begin from all of these:
    the similarity start, and the geometric start of Wasserstein Procrustes.
    """
    shuffled = rng.permutation(len(sides.x_pairs))
    moments, cosines = [], np.zeros(len(shuffled))
    for number, whitening in enumerate(WHITENINGS):
        kept = shuffled[number % 2 :: 2] if len(shuffled) > 1 else shuffled
        part = sides.part(rng, BATCH, share=_SHARE).with_pairs(kept)
        moments.append(first_rounds(part, similarity_start(part, whitening=whitening), rng, batch=_ROWS))
        if len(shuffled) > 1:
            hidden = np.setdiff1d(shuffled, kept)
            reached = unit(sides.x_pairs[hidden] @ spectral(moments[-1]))
            cosines[hidden] += (reached * sides.y_pairs[hidden]).sum(1) / (len(WHITENINGS) / 2)
    whole = sides.part(rng, BATCH)
    for start in (similarity_start(whole), geometric_start(whole, rng, restarts=_GEOMETRIC)):
        moments.append(first_rounds(whole, start, rng, batch=_ROWS))
    common = sides.part(rng, _ROWS)
    results = [judge(common, spectral(moment)) for moment in moments]
    best = int(np.argmin([result.transport + result.pairs for result in results]))
    moment, rounds = last_rounds(sides, first_rounds(sides, moments[best], rng), rng)
    judged = judge(common, spectral(moment))
    agreements = [agreement(common, spectral(moment), spectral(other)) for other in moments]
    others = [result.transport for result, alike in zip(results, agreements, strict=True) if alike < _ALIKE]
    enough = len(shuffled) > 1
    return Found(
        moment=moment, judged=judged, rounds=rounds,
        agreement=float(np.mean(np.delete(agreements, best))),
        lead=1 - judged.transport / min(others) if others and min(others) > 0 else None,
        held_out=float(cosines.mean()) if enough else None,
        held_out_error=float(cosines.std(ddof=1) / np.sqrt(len(cosines))) if enough else 0.0,
    )  # fmt: skip
