"""What destinations are told, and what comes back."""
