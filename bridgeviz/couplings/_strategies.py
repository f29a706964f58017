"""The registry of strategies."""

from bridgeviz.couplings._alignment import Alignment
from bridgeviz.couplings._global import Global
from bridgeviz.couplings._local import Local
from bridgeviz.couplings._true import TrueAlignment

STRATEGIES: dict[str, type[Alignment]] = {
    "true": TrueAlignment,
    "global": Global,
    "local": Local,
}
