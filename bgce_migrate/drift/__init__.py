"""The live database against what its history says should be there: foreign changes, whose they are, what mends them."""
