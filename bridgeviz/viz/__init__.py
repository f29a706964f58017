"""Results -> Plotly figures. Draws, never computes an alignment."""
