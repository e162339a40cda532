"""
Who uses The Things Stack over its HTTP API: whoever registers devices, and an application.

Knows the API as its documentation tells of it, and nothing of any server.
"""
