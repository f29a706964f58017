"""The plane of neighbourhoods, for any number of rows and in any unit."""

from __future__ import annotations

import numpy as np
import pytest

from bridgeviz.metrics import projection

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ImportWarning", "ignore::DeprecationWarning")


@pytest.mark.parametrize(("frames", "n", "landmarks"), [(1, 1, 0), (1, 1, 1), (1, 3, 0), (2, 2, 1), (3, 5, 2)])
def test_any_number_of_rows_has_a_plane(frames, n, landmarks):
    rng = np.random.default_rng(0)
    plane, still = projection.neighbourhoods(rng.normal(size=(frames, n, 4)), rng.normal(size=(landmarks, 4)))
    assert (plane.shape, still.shape) == ((frames, n, 2), (landmarks, 2))
    assert np.isfinite(plane).all()
    assert np.isfinite(still).all()


def test_any_unit_has_a_plane():
    states = 1e60 * np.random.default_rng(0).normal(size=(2, 8, 4)) + 1e61
    plane, _ = projection.neighbourhoods(states, states[0, :2])
    assert np.isfinite(plane).all()


def test_umap_reports_its_epochs_and_can_be_stopped():
    states, reports = np.random.default_rng(0).normal(size=(2, 20, 4)), []
    projection.neighbourhoods(states, states[0, :2], report=lambda *epochs: reports.append(epochs))
    done, total = reports[-1]
    assert reports[0][0] == 0
    assert done == total == reports[0][1]

    def stop(*_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        projection.neighbourhoods(states, states[0, :2], report=stop)
