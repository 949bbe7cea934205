"""Probes in real containers: laid out, run bare and guarded, and looked at by the host.

``prover.py`` is the way through; ``given.py`` what a probe finds laid out, ``bare.py`` the
deliberately bare container, ``looks.py`` the host's own look at what came home, ``host.py`` the
probes whose other half is this process.
"""
