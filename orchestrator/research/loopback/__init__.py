"""A model's server on this machine alone, for tests: a whole run through litellm, with no model and no key."""
