"""Proves a policy on this machine: runs probes that try to escape, and judges the results.

A probe is a small program in ``sandbox/probes`` that breaks one promise, if it can. It runs twice:
in a deliberately bare container, where it must get through (else it proves nothing), and in a
container created by the code that experiments use, where it must not.

::

    probe.py        a probe's header: promise, parts, kinds of container, runtimes
    mechanisms.py   the parts of each control; a probe names those that it tries
    observation.py  what one probe did, once
    judge.py        bare and guarded compared: held, held otherwise, did not hold, not provable
    proof.py        one complete proof, as it is stored
    store.py        the folder of proofs, and the newest one of a policy
    page.py         one proof as a page
    running/        starts the containers

What weakens a container on purpose is not in the program: mutations are in the tests.
"""
