"""Proving a policy on this machine: probes that try to escape, and what is made of what they say.

A probe is a small program in ``sandbox/probes`` that breaks one promise, if it can. It is run twice:
in a deliberately bare container, where it must get through (else it is no probe), and in a
container made by the code path that experiments use, where it must not.

::

    probe.py    what a probe's own head says: promise, parts, kinds of container, runtimes
    parts.py    the parts of each control; a probe names those that it tries, a mutation removes one
    seen.py     what a probe was seen to do, once
    judge.py    bare and guarded, side by side: held, held otherwise, did not hold, not provable
    proof.py    the whole of one proof, as it is kept
    shelf.py    where proofs lie, and the newest of a policy
    page.py     one proof as a page

The containers are started by ``edges/prover.py``. What weakens a container on purpose is not in
the program at all: mutations stand in the tests.
"""
