"""Whose saved runs a session sees.

A server that only this machine reaches, as by default, has one user, who sees all runs. On a server that others reach,
a run belongs to the name in the link with which it was trained (`?owner=NAME`): whoever knows the name opens and
deletes it. Without a name, nothing is saved and nothing is shown.
"""

from __future__ import annotations

import hashlib

import streamlit as st

OWNER = "owner"
_KEY = "_owner"
_LOCAL = ("localhost", "127.0.0.1", "::1")


def current() -> str | None:
    """The owner of this session's runs: "" on a server for one, and None without a name on a server for several."""
    if st.get_option("server.address") in _LOCAL:
        return ""
    name = str(st.query_params.get(OWNER, "")).strip() or st.session_state.get(_KEY, "")
    if not name:
        return None
    st.session_state[_KEY] = name  # the next page's link may not name it
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
