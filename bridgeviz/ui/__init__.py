"""The only room that imports streamlit: session state, cached doors, background jobs, the player.

`settings` draws the shared controls and keeps them in the link; `doors` caches what the engine makes of them; `jobs`
trains in the background; `player` plays a `Scene`; `page` holds what every page has in common.
"""

import jax

from bridgeviz.datasets import paths

# What one server compiled, the next one finds: the first training after a start begins seconds sooner.
jax.config.update("jax_compilation_cache_dir", str(paths.cache() / "compiled"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
