"""What other people's tools read: OCSF events, bills of materials (CycloneDX), signed envelopes (DSSE)."""
