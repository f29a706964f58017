"""Mutants of experiments: settings as texts."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "settings: a cost that is registered later has no settings",
        "bridgeviz/experiments/_settings.py",
        "found += about.kind.registry.items()",
        "found += ()",
        "app/test_generated_controls.py test_extending.py test_option_metadata.py",
    ),
    Mutant(
        "settings: percent is not divided",
        "bridgeviz/experiments/_settings.py",
        "return number / 100 if self.option.percent else number",
        "return number",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: percent read as half of it",
        "bridgeviz/experiments/_settings.py",
        "return number / 100 if",
        "return number / 200 if",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: limits are not checked",
        "bridgeviz/experiments/_settings.py",
        "or low <= float(text) <= high",
        "or True",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: any name passes",
        "bridgeviz/experiments/_settings.py",
        "valid = text in self.names",
        "valid = True",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: shown though it is not read",
        "bridgeviz/experiments/_settings.py",
        "        return self.is_read(texts)",
        "        return True",
        "experiments/test_settings.py",
    ),
    Mutant(
        "settings: the cost is shown for strategy true",
        "bridgeviz/experiments/_settings.py",
        'if self.stage == COST_STAGE and not STRATEGIES[texts["strategy"]].uses_cost:',
        "if False:",
        "experiments/test_settings.py",
    ),
    Mutant(
        "settings: both parts of tau are its first",
        "bridgeviz/experiments/_settings.py",
        "            pair[one.part] = value",
        "            pair[0] = value",
        "experiments/test_settings.py",
    ),
    Mutant(
        "settings: each text of tau is its first part",
        "bridgeviz/experiments/_settings.py",
        "            value = value[one.part]",
        "            value = value[0]",
        "experiments/test_settings.py",
    ),
    Mutant(
        "settings: auto replaces each cost's own default",
        "bridgeviz/experiments/_settings.py",
        "if one.varies and complete[one.key] == AUTO:",
        "if False:",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: options of another cost are kept",
        "bridgeviz/experiments/_settings.py",
        "        if not one.is_read(complete):\n            continue\n",
        "",
        "experiments/test_settings.py app/test_settings.py",
    ),
    Mutant(
        "settings: fractions of integers pass",
        "bridgeviz/experiments/_settings.py",
        "            if not number.is_integer():\n                raise ValueError(text)\n",
        "",
        "experiments/test_settings.py app/test_settings.py",
    ),
]
