"""The app: the only room that imports streamlit.

Imports point downwards, from `panels` to `work`, `cache`, `guard` and `state`:

- `state`: the settings of a session, their controls, the link, the pages, what is selected on a map.
- `guard`: errors become one plain sentence with a way out.
- `cache`: what the stages of a run give, solved once per server.
- `work`: jobs in the background, their queue, trainings, saved runs.
- `panels`: parts of pages.
"""

import jax

from bridgeviz.datasets import paths

# Keeps compiled programs on the disk: the first training after a restart begins seconds sooner.
jax.config.update("jax_compilation_cache_dir", str(paths.cache() / "compiled"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
