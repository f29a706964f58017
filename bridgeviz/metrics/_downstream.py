"""Downstream accuracy: whether transported points work for the target model (Appendix H.2, H.3)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs import cosine, sqeuclidean
from bridgeviz.problem import Space


def predict_labels(space: Space, y: ArrayLike) -> np.ndarray:
    """The class of each point: by the space's own decoder if it has one (H.2), otherwise by the nearest labelled row.

    The nearest row has the least cosine distance (Eq. 25). Where angles say little, it has the least squared Euclidean
    distance instead: in spaces with a zero row or fewer than three dimensions, and for a point at zero.

    Args:
        space: the target space, with labels.
        y: (k, q) points, such as the last states of a trajectory.
    """
    y = check.matrix(y, "y", "predict_labels", columns=space.x.shape[1], rows=1)
    if space.labels is None or space.classes is None:
        raise InputError("predict_labels() needs a target space with labels, and this one has none.")
    if space.decode_labels is not None:
        return space.classes[np.argmax(space.decode_labels(y), axis=1)]
    points, first = np.unique(space.x, axis=0, return_index=True)
    angles = points.shape[1] >= 3 and bool(np.linalg.norm(points, axis=1).all())
    by_angle = np.linalg.norm(y, axis=1) > 0 if angles else np.zeros(len(y), bool)
    nearest = np.zeros(len(y), np.int64)
    for rows, distance in ((np.flatnonzero(by_angle), cosine), (np.flatnonzero(~by_angle), sqeuclidean)):
        for part in np.array_split(rows, -(-len(rows) // 1024) or 1):
            if len(part):
                nearest[part] = np.argmin(distance(y[part], points), axis=1)
    return space.labels[first][nearest]


def downstream_accuracy(space: Space, y: ArrayLike, labels: ArrayLike, *, weights: np.ndarray | None = None) -> float:
    """The share of transported points whose predicted class is right, in [0, 1] (Eq. 26, or H.2 with a decoder).

    Args:
        space: the target space, with labels.
        y: (k, q) transported points.
        labels: (k,) their true classes.
        weights: (k,) of the points; None if they all count the same.
    """
    predicted = predict_labels(space, y)
    labels = check.labels(labels, "labels", "downstream_accuracy", length=len(predicted), least=1)
    check.same_kind(predicted, labels, ("space.labels", "labels"), "downstream_accuracy")
    return float(np.average(predicted == labels, weights=weights))


def confusion(labels: ArrayLike, predicted: ArrayLike, *, classes: ArrayLike | None = None) -> Int[np.ndarray, "c c"]:
    """The number of points of each true class (rows) that were assigned to each class (columns).

    Args:
        labels: (k,) true classes.
        predicted: (k,) assigned classes.
        classes: in any order; None takes those that occur. Rows and columns are sorted.

    >>> confusion(["a", "a", "b"], ["a", "b", "b"])
    array([[1, 1],
           [0, 1]])
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape or labels.ndim != 1:
        expected = f"an array of shape {labels.shape}, the shape of 'labels'"
        raise check.fail("predicted", "confusion", expected, f"shape {predicted.shape}")
    present = np.union1d(labels, predicted)
    known = present if classes is None else np.unique(np.asarray(classes))
    if len(missing := np.setdiff1d(present, known)):
        raise check.fail("classes", "confusion", "a list of every label and prediction", f"no {missing[0]}")
    counts = np.zeros((len(known), len(known)), np.int64)
    np.add.at(counts, (np.searchsorted(known, labels), np.searchsorted(known, predicted)), 1)
    return counts


def classwise_mse(images: ArrayLike, labels: ArrayLike, decoded: ArrayLike, decoded_labels: ArrayLike) -> float:
    """Mean squared error between the class means of two sets of images (Eq. 22-24), for pixels in [0, 1].

    Args:
        images: (n, h, w) real images.
        labels: (n,) their classes.
        decoded: (k, h, w) images decoded from transported points.
        decoded_labels: (k,) the classes of the points that they were decoded from. Every class in `labels` must occur.
    """
    images, decoded = np.asarray(images, np.float64), np.asarray(decoded, np.float64)
    labels = check.labels(labels, "labels", "classwise_mse", length=len(images))
    decoded_labels = check.labels(decoded_labels, "decoded_labels", "classwise_mse", length=len(decoded))
    if images.shape[1:] != decoded.shape[1:]:
        shapes = f"images of shape {images.shape[1:]}", f"shape {decoded.shape[1:]}"
        raise check.fail("decoded", "classwise_mse", *shapes)
    classes = np.unique(labels)
    missing = np.setdiff1d(classes, decoded_labels)
    if len(missing):
        expected = "labels in which every class occurs"
        raise check.fail("decoded_labels", "classwise_mse", expected, f"none of {missing.tolist()}")
    errors = [((images[labels == c].mean(0) - decoded[decoded_labels == c].mean(0)) ** 2).mean() for c in classes]
    return float(np.mean(errors))
