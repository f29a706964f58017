"""The frozen models that make the features of the shipped datasets."""
