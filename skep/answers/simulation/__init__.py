"""`skep identity simulate`: what rules make of a file of events. The real operators over a store that is thrown away."""
