"""What works without a flow: contracts, drafts, the demo shop, editors, other versions' data."""
