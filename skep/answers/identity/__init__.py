"""Who is who: the evidence between identifiers, what became of people, and what taking them apart or joining them would do."""
