"""The only room that imports streamlit: session state, cached doors, background jobs, the gallery."""
