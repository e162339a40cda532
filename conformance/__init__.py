"""Requirements, verdicts, and the conformance tests."""
