"""
Radio equipment of the conformance tests: a gateway and a node whose every frame a script decides.

Uses the codecs and the cryptography that foreign judges have proven, and no reference server.
"""
