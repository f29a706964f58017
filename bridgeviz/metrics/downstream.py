"""Do transported points do the target model's job? (Appendix H.2, H.3)"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs.intra import cosine, sqeuclidean
from bridgeviz.problem import Space


def predict_labels(space: Space, y: ArrayLike) -> np.ndarray:
    """The class of each point of a space: by its own decoder where it has one (H.2), else by the nearest labelled row.

    "Nearest" is by cosine distance (Eq. 25), or squared Euclidean where the space holds a zero row or has fewer than
    three dimensions, where angles say little.

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
    angles = points.shape[1] >= 3 and np.linalg.norm(points, axis=1).all() and np.linalg.norm(y, axis=1).all()
    distance = cosine if angles else sqeuclidean
    nearest = [np.argmin(distance(part, points), axis=1) for part in np.array_split(y, -(-len(y) // 1024))]
    return space.labels[first][np.concatenate(nearest)]


def downstream_accuracy(space: Space, y: ArrayLike, labels: ArrayLike) -> float:
    """The share of transported points whose predicted class is right, in [0, 1] (Eq. 26; H.2 with a decoder)."""
    predicted = predict_labels(space, y)
    labels = check.labels(labels, "labels", "downstream_accuracy", length=len(predicted), least=1)
    check.same_kind(predicted, labels, ("space.labels", "labels"), "downstream_accuracy")
    return float(np.mean(predicted == labels))


def confusion(labels: ArrayLike, predicted: ArrayLike, *, classes: ArrayLike | None = None) -> Int[np.ndarray, "c c"]:
    """How many points of each class (rows) were taken for each class (columns).

    >>> confusion(["a", "a", "b"], ["a", "b", "b"])
    array([[1, 1],
           [0, 1]])
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape or labels.ndim != 1:
        raise check.fail(
            "predicted", "confusion", f"of shape {labels.shape}, as the labels", f"shape {predicted.shape}"
        )
    seen = np.union1d(labels, predicted)
    known = seen if classes is None else np.unique(np.asarray(classes))
    if len(other := np.setdiff1d(seen, known)):
        raise check.fail("classes", "confusion", "all that occur in the labels and predictions", f"no {other[0]}")
    counts = np.zeros((len(known), len(known)), np.int64)
    np.add.at(counts, (np.searchsorted(known, labels), np.searchsorted(known, predicted)), 1)
    return counts


def classwise_mse(images: ArrayLike, labels: ArrayLike, made: ArrayLike, made_labels: ArrayLike) -> float:
    """Mean squared error between the class means of two sets of pictures (Eq. 22-24), pixels in [0, 1].

    Args:
        images: (n, h, w) real pictures.
        labels: (n,) their classes.
        made: (k, h, w) pictures decoded from transported points.
        made_labels: (k,) the classes they were made for; every class of `labels` must be among them.
    """
    images, made = np.asarray(images, np.float64), np.asarray(made, np.float64)
    labels = check.labels(labels, "labels", "classwise_mse", length=len(images))
    made_labels = check.labels(made_labels, "made_labels", "classwise_mse", length=len(made))
    if images.shape[1:] != made.shape[1:]:
        raise check.fail("made", "classwise_mse", f"pictures of shape {images.shape[1:]}", f"{made.shape[1:]}")
    classes = np.unique(labels)
    missing = np.setdiff1d(classes, made_labels)
    if len(missing):
        raise check.fail("made_labels", "classwise_mse", "a picture of every class", f"none of {missing.tolist()}")
    errors = [((images[labels == c].mean(0) - made[made_labels == c].mean(0)) ** 2).mean() for c in classes]
    return float(np.mean(errors))
