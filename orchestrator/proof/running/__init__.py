"""Probes in real containers: prepared, run bare and guarded, and inspected by the host.

``prover.py`` is the entry; ``fixtures.py`` what a probe finds, ``bare.py`` the deliberately bare
container, ``inspection.py`` the host's check of the harvest, ``host_probes.py`` the probes whose
other half is this process.
"""
