"""Mutants of one-to-one metrics, the first look at data, and a user's own data."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "partners: ties count in full",
        "bridgeviz/metrics/_partners.py",
        "weighted_mean(self.nearer + self.tied / 2",
        "weighted_mean(self.nearer + self.tied",
        "metrics/test_partners.py",
    ),
    Mutant(
        "partners: more mass is further",
        "bridgeviz/metrics/_partners.py",
        "lambda i, j: -whole.block(i, j)",
        "lambda i, j: whole.block(i, j)",
        "metrics/test_partners.py",
    ),
    Mutant(
        "partners: one direction twice",
        "bridgeviz/metrics/_partners.py",
        "_ranks(lambda j: block(every[0], j).T, truth[:, 1], truth[:, 0], shape[0], of_target)",
        "_ranks(lambda i: block(i, every[1]), truth[:, 0], truth[:, 1], shape[1], of_source)",
        "metrics/test_partners.py",
    ),
    Mutant(
        "evaluation: pairs that were used are judged as well",
        "bridgeviz/experiments/_evaluation.py",
        '_of_partners("plan", plan.whole, problem.unused(pairs), ',
        '_of_partners("plan", plan.whole, problem.unused(None), ',
        "experiments/test_run.py",
    ),
    Mutant(
        "likeness: columns are not centred",
        "bridgeviz/metrics/_likeness.py",
        "for side in (x - x.mean(0), y - y.mean(0))]",
        "for side in (x, y)]",
        "metrics/test_first_look.py",
    ),
    Mutant(
        "likeness: the permutations leave the pairs alone",
        "bridgeviz/metrics/_likeness.py",
        "of_order(rng.permutation(size))",
        "of_order(np.arange(size))",
        "metrics/test_first_look.py",
    ),
    Mutant(
        "inspection: a far centre keeps the cosine",
        "bridgeviz/metrics/_inspection.py",
        'if numbers["offset"] > _FAR:',
        "if False:",
        "metrics/test_first_look.py",
    ),
    Mutant(
        "assess: the hidden pairs are seen",
        "bridgeviz/experiments/_assess.py",
        "ranker(spaces, np.delete(moved, fold, axis=0))",
        "ranker(spaces, moved)",
        "experiments/test_assess.py",
    ),
    Mutant(
        "assess: nothing is ever refused",
        "bridgeviz/experiments/_assess.py",
        "    if alike:\n        return",
        "    if True:\n        return",
        "experiments/test_assess.py",
    ),
    Mutant(
        "doubt: the surest row first",
        "bridgeviz/metrics/_doubt.py",
        'table.sort_values("spread", ascending=False',
        'table.sort_values("spread", ascending=True',
        "metrics/test_doubt.py",
    ),
    Mutant(
        "keeping: the key ignores the numbers",
        "bridgeviz/datasets/keeping.py",
        'digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")',
        'digest.update(b"")',
        "app/test_your_data.py",
    ),
    Mutant(
        "script: the pairs are drawn by another seed",
        "bridgeviz/experiments/_script.py",
        "    values = config.as_dict()",
        '    values = config.as_dict() | {"seed": config.seed + 1}',
        "app/test_your_data.py",
    ),
    Mutant(
        "bring: uploads keep their folder in messages",
        "bridgeviz/ui/panels/bring.py",
        're.sub(re.escape(folder) + r"/\\w+/", "", message)',
        "message",
        "app/test_your_data.py",
    ),
    Mutant(
        "cards: a data set without its licence",
        "bridgeviz/datasets/_card.py",
        '            "Licence": self.licence,',
        '            "Licence": self.source,',
        "datasets/test_datasets.py",
    ),
    Mutant(
        "align: test pairs may be learned from",
        "bridgeviz/cli/_align.py",
        "if both := {tuple(pair) for pair in test.tolist()} & {tuple(pair) for pair in inputs.pairs.tolist()}:",
        "if both := set[tuple[int, int]]():",
        "cli/test_align.py",
    ),
    Mutant(
        "keeping: what is forbidden is lost",
        "bridgeviz/datasets/keeping.py",
        'name="yours", forbidden=_forbidden(arrays))',
        'name="yours")',
        "app/test_your_data.py",
    ),
    Mutant(
        "first look: the metric that was chosen is not read",
        "bridgeviz/ui/panels/first_look.py",
        "return None if chosen in (_AUTOMATIC, None) else chosen",
        "return suits",
        "app/test_your_data.py",
    ),
    Mutant(
        "script: forbidden matches are left out",
        "bridgeviz/experiments/_script.py",
        'name="yours", forbidden=forbidden)',
        'name="yours")',
        "app/test_your_data.py",
    ),
]
