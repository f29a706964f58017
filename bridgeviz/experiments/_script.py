"""A short script that repeats a run with the library alone."""

from __future__ import annotations

import pprint
from collections.abc import Mapping

from bridgeviz.datasets import Yours
from bridgeviz.experiments._config import RunConfig

_OPTIONAL = (
    "source labels", "target labels", "source weights", "target weights", "forbidden", "forbidden classes",
)  # fmt: skip
"""What further files hold. Each is an argument of `read_problem`, with an underscore for the space."""


def script(config: RunConfig, *, version: str, files: Mapping[str, str] | None = None) -> str:
    """Python code that repeats the run of a config and saves its result.

    Args:
        config: of the run.
        version: of bridgeviz that made the run; the code names it.
        files: for your own data, the paths of the files by what they hold: "source", "target", "pairs", and perhaps
            labels, weights and forbidden matches, as in "source labels" or "forbidden classes".

    >>> print(script(RunConfig(dataset="blobs"), version="1.0").splitlines()[-4])
    run = bv.run(config)
    """
    values = config.as_dict()
    lines = ['"""Repeats a run of bridgeviz ' + version + '."""', "", "import bridgeviz as bv"]
    passed = ""
    if isinstance(config.data.dataset, Yours):
        values["options"] = {}
        named = dict(files or {})
        arguments = [repr(named.get(role, f"{role}.npy")) for role in ("source", "target", "pairs")]
        arguments += [f"{role.replace(' ', '_')}={named[role]!r}" for role in _OPTIONAL if role in named]
        lines += [
            "from bridgeviz.datasets import files", "",
            f"inputs = files.read_problem({', '.join(arguments)})",
            "source, target, forbidden = inputs.problem.source, inputs.problem.target, inputs.problem.forbidden",
            'problem = bv.Problem(source, target, truth=inputs.pairs, name="yours", forbidden=forbidden)',
        ]  # fmt: skip
        passed = ", problem=problem"
    settings = pprint.pformat(values, width=100, sort_dicts=False)
    lines += [
        "", f"config = bv.RunConfig.from_dict(\n{_indented(settings)}\n)", f"run = bv.run(config{passed})",
        "for name, value in run.metrics.items():", '    print(f"{name}: {value:.4f}")',
        'bv.experiments.save(run, "result")', "",
    ]  # fmt: skip
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())
