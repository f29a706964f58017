"""Mutants of data sets and encoders."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "blobs: overlap ignored",
        "bridgeviz/datasets/_blobs.py",
        "width = 0.1 + 0.9 * self.overlap",
        "width = 0.4",
        "datasets",
    ),
    Mutant(
        "mnist: thumbnails of other rows",
        "bridgeviz/datasets/_mnist.py",
        "decode_images(x[rows])",
        "decode_images(x[rows - 1])",
        "datasets",
    ),
    Mutant(
        "swiss roll: unpaired",
        "bridgeviz/datasets/_swiss_roll.py",
        "np.stack([np.arange(size)] * 2, axis=1)",
        "np.stack([np.arange(size), np.arange(size)[::-1]], axis=1)",
        "datasets",
    ),
    Mutant(
        "digits: the training set is tested on",
        "bridgeviz/datasets/_digits.py",
        "return problem(train, problem(test, None))",
        "return problem(train, problem(train[:450], None))",
        "datasets",
    ),
    Mutant(
        "label codes: those of the next label",
        "bridgeviz/datasets/_label_codes.py",
        "x = mean[labels]",
        "x = mean[(labels + 1) % 10]",
        "datasets",
    ),
    Mutant(
        "idx: header read as pixels",
        "bridgeviz/datasets/_idx.py",
        "offset=4 + 4 * dims",
        "offset=3 + 4 * dims",
        "datasets",
    ),
    Mutant(
        "idx: checksum not compared", "bridgeviz/datasets/_idx.py", "if checksum != expected:", "if False:", "datasets"
    ),
    Mutant(
        "load: unknown options are dropped",
        "bridgeviz/datasets/__init__.py",
        'check.options(options, options_of(type(dataset)), "load")',
        "options = {key: value for key, value in options.items() if key in options_of(type(dataset))}",
        "datasets checks",
    ),
    Mutant(
        "pretrain: the list of what it trains holds every data set",
        "bridgeviz/datasets/__init__.py",
        "if getattr(entry, method) is not default)",
        ")",
        "datasets",
    ),
    Mutant(
        "VAE: halve pads the other side",
        "bridgeviz/encoders/vae.py",
        "(pad_h // 2, pad_h - pad_h // 2)",
        "(pad_h - pad_h // 2, pad_h // 2)",
        "encoders",
    ),
    Mutant(
        "VAE: double's taps transposed",
        "bridgeviz/encoders/vae.py",
        "(k // 3, 2 - k // 3, 1), (k % 3, 2 - k % 3, 1)",
        "(k % 3, 2 - k % 3, 1), (k // 3, 2 - k // 3, 1)",
        "encoders",
    ),
    Mutant(
        "VAE: the reconstruction loss has the wrong sign",
        "bridgeviz/encoders/training.py",
        "loss(model.decode(z), x).mean()",
        "-loss(model.decode(z), x).mean()",
        "encoders",
    ),
    Mutant(
        "weights: shapes are not compared",
        "bridgeviz/encoders/training.py",
        "arrays[name].shape != shape",
        "False",
        "encoders",
    ),
]
