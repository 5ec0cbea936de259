"""What runs: the flow, activation, the snapshot publisher, and the process that starts them."""
