"""The frozen models that produce the features of the shipped data sets."""
