"""Servers that answer as the services do, on this machine alone, for tests."""
