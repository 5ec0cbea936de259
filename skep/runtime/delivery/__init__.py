"""How destinations are told through the ledger: what changes want, what is sent, what comes back."""
