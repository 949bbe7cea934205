"""What a sentence of a paper says about results, and whether the record carries it.

``check`` holds sentences to a ``ledger``, which ``build`` makes. Names are read by ``naming``, typed numbers
by ``sources``, numbers by reference by ``referring`` and ``macros``, words by ``statements``.
"""
