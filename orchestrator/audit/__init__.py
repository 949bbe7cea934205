"""Audits: whether a run's record holds, line by line and container by container.

An audit reads a results folder and nothing else: no engine, no network, no key. It assumes
that whoever wrote the folder may be hostile. Its outcome is one of three words: *broken*;
*consistent*, which a whole new record by whoever can write the folder would be too; *intact*,
where also a head or a signature that was kept elsewhere matches.
"""
