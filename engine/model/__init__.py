"""The interaction model. Knows torch and itself only: tensors in, tensors out."""
