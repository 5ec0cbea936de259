"""`skep plan`: what contracts would do to the people of a space if they were put in force now."""
