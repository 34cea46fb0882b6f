"""The Gaussian: its density (chapters 1 and 3), its covariance types and updates (chapter 9).

`density`, `covariance` and `parameters` are the mathematics; `forms` writes the E-step and
the sums of the M-step in two ways; `missing` does both for rows with gaps; `initialisation`
finds a start.
"""
