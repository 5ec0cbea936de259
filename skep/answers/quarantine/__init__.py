"""`skep quarantine`: what was refused, grouped by cause, and feeding it again, editing it or giving it up."""
