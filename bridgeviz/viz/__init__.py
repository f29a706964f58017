"""Results -> Plotly figures, and projections to the plane. Draws; never computes an alignment."""
