"""
The radio medium: who hears whom, how strongly, and what becomes of frames that overlap.

It knows bits on air, positions and the clock; what the bytes mean is not its business.
"""
