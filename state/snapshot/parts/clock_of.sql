-- clock_of(in_space)
-- The clock of a space, or the smallest of all
((SELECT min(clock) FROM (SELECT space AS of_space, clock FROM spaces) WHERE in_space IS NULL OR of_space = in_space))
