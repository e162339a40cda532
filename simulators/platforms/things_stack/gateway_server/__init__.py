"""The Gateway Server: which gateways are connected, and what passed through them."""
