"""Marks with verdicts: given by key while listening, noted in words, listed, changed and removed."""
