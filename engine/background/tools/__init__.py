"""Tools of the background mind: exact answers and small deeds, each with a permission level."""
