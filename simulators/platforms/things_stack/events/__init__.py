"""Events: what happened to whom, for those who listen."""
