"""The only room that imports streamlit: session state, cached doors, background jobs, the player.

`settings` draws the shared controls and keeps them in the link; `doors` caches what the engine makes of them; `jobs`
trains in the background; `player` plays a `Scene`; `page` holds what every page has in common.
"""
