"""The services: each file speaks the format of one, and knows its refusals by name."""
