"""Mutants of the pretrained encoders, of the files that they fill, and of the data sets that read these."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "features: an unreadable picture keeps its row",
        "bridgeviz/encoders/_features.py",
        "                rows.append(row)",
        "                rows.append(row + len(unreadable))",
        "encoders/test_features.py",
    ),
    Mutant(
        "features: the grid sums instead of averaging",
        "bridgeviz/encoders/_features.py",
        "values = sums / (sizes[0][:, None] * sizes[1])[None, :, :, None]",
        "values = sums",
        "encoders/test_features.py",
    ),
    Mutant(
        "shards: every layer gets the features of the last",
        "bridgeviz/encoders/_shards.py",
        "np.float16, _parts(paths, str(k)))",
        "np.float16, _parts(paths, str(len(widths) - 1)))",
        "encoders/test_features.py",
    ),
    Mutant(
        "shards: a command always starts afresh",
        "bridgeviz/encoders/_shards.py",
        "if not _complete(shard, *part):",
        "if True:",
        "encoders/test_features.py",
    ),
    Mutant(
        "shards: those of other settings are taken",
        "bridgeviz/encoders/_shards.py",
        "if earlier.get(name) != value:",
        "if False:",
        "encoders/test_features.py",
    ),
    Mutant(
        "shards: a damaged one is taken for complete",
        "bridgeviz/encoders/_shards.py",
        "    except (InputError, KeyError):\n        return False",
        "    except (InputError, KeyError):\n        return True",
        "encoders/test_features.py",
    ),
    Mutant(
        "pictures: huge ones are decoded",
        "bridgeviz/encoders/_pictures.py",
        "if picture.width * picture.height > MOST_PIXELS:",
        "if False:",
        "encoders/test_features.py",
    ),
    Mutant(
        "pictures: pipes and links to folders are followed",
        "bridgeviz/encoders/_pictures.py",
        "if entry.is_dir(follow_symlinks=False):",
        "if entry.is_dir():",
        "encoders/test_features.py",
    ),
    Mutant(
        "pictures: cropped at the corner",
        "bridgeviz/encoders/_encoder.py",
        "left, top = (width - size) // 2, (height - size) // 2",
        "left, top = 0, 0",
        "encoders/test_features.py",
    ),
    Mutant(
        "store: objects pass",
        "bridgeviz/encoders/store.py",
        "if dtype.hasobject or fortran:",
        "if fortran:",
        "encoders/test_features.py",
    ),
    Mutant(
        "imagenet: test pictures are aligned",
        "bridgeviz/datasets/_imagenet.py",
        'held_out = order[validated:] if self.held_out == "test"',
        'held_out = order[aligned - 20 :] if self.held_out == "test"',
        "datasets/test_image_datasets.py",
    ),
    Mutant(
        "imagenet: the head is compared with the number of the class in the file",
        "bridgeviz/datasets/_imagenet.py",
        '== index[arrays["labels"][rows]]',
        '== arrays["labels"][rows]',
        "datasets/test_image_datasets.py",
    ),
    Mutant(
        "synonyms: a class may be in several pairs",
        "bridgeviz/datasets/_imagenet_classes.py",
        "if not taken & set(pair):",
        "if True:",
        "datasets/test_image_datasets.py",
    ),
    Mutant(
        "two encoders: the rows of one are turned round",
        "bridgeviz/datasets/_two_encoders.py",
        "arrays[key][rows].astype(np.float32), labels",
        'arrays[key][rows[:: 1 if key == "mobilenet_v2" else -1]].astype(np.float32), labels',
        "datasets/test_image_datasets.py",
    ),
    Mutant(
        "overlap by classes: of all classes whatever the count",
        "bridgeviz/metrics/_overlap_by_classes.py",
        "choose_classes(classes, size, seed=seed + column)",
        "choose_classes(classes, len(classes), seed=seed + column)",
        "metrics/test_overlap_by_classes.py::test_the_overlap_is_that_of_the_chosen_classes_alone",
    ),
    Mutant(
        "most overlapping: a class overlaps most with itself",
        "bridgeviz/metrics/_overlap_by_classes.py",
        "foreign = near.between - np.diag(np.diag(near.between))",
        "foreign = near.between",
        "metrics/test_overlap_by_classes.py::test_the_classes_that_overlap_most_come_first_with_what_they_overlap",
    ),
]
