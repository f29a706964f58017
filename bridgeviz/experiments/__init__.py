"""One run, its settings, the choice of them, and the named experiments."""

from typing import TYPE_CHECKING

from bridgeviz._lazy import attach

if TYPE_CHECKING:
    from bridgeviz.experiments import figures, gallery, sweeps, tuning
    from bridgeviz.experiments._aligner import Aligner
    from bridgeviz.experiments._assess import Assessment, assess
    from bridgeviz.experiments._auto import Auto
    from bridgeviz.experiments._config import STAGES, DataConfig, PairsConfig, RunConfig
    from bridgeviz.experiments._evaluation import device, evaluate, evaluate_plan
    from bridgeviz.experiments._glimpse import Glimpse, Onlooker
    from bridgeviz.experiments._others import Others, measured_kinds, others
    from bridgeviz.experiments._pipeline import Finished, Known, Pipeline, Update
    from bridgeviz.experiments._recommend import fallback, recommend, recommend_steps
    from bridgeviz.experiments._recommendation import Recommendation
    from bridgeviz.experiments._remedies import Remedy, remedy
    from bridgeviz.experiments._report import RESULT_FILES, report, save, versions
    from bridgeviz.experiments._run import Run, run
    from bridgeviz.experiments._scene import Scene, scene, with_neighbourhoods
    from bridgeviz.experiments._script import script
    from bridgeviz.experiments._settings import Setting, config_of, settings, texts_of

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_aligner": ["Aligner"],
        "_assess": ["Assessment", "assess"],
        "_auto": ["Auto"],
        "_config": ["STAGES", "DataConfig", "PairsConfig", "RunConfig"],
        "_evaluation": ["device", "evaluate", "evaluate_plan"],
        "_glimpse": ["Glimpse", "Onlooker"],
        "_others": ["Others", "measured_kinds", "others"],
        "_pipeline": ["Finished", "Known", "Pipeline", "Update"],
        "_recommend": ["fallback", "recommend", "recommend_steps"],
        "_recommendation": ["Recommendation"],
        "_remedies": ["Remedy", "remedy"],
        "_report": ["RESULT_FILES", "report", "save", "versions"],
        "_run": ["Run", "run"],
        "_scene": ["Scene", "scene", "with_neighbourhoods"],
        "_script": ["script"],
        "_settings": ["Setting", "config_of", "settings", "texts_of"],
    },
    modules=["benchmarks", "figures", "gallery", "sweeps", "tuning"],
)
