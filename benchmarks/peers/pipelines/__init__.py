"""What runs in the peers' environment: one module a peer, and the exchange with the driver."""
