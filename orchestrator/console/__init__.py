"""What the ``aisci`` command shows and joins: with ``cli.py``, the only importers of rich."""
