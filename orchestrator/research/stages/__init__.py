"""The stages of research: straight-line code over ports, one file each."""
