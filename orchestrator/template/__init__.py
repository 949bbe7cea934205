"""Templates: their files, manifest, contract and results."""
