-- can_bracket(marks, kind)
-- True if these are no brackets, or the ascending bounds of periods, else an error
(CASE WHEN marks IS NULL OR (kind = 'on' AND len(marks) > 1 AND marks[1] >= 0 AND marks = list_sort(list_distinct(marks))) THEN true ELSE error(
  CASE WHEN kind = 'after' THEN 'expected brackets or kind := ''after'', found both: what comes in or after a bracket has no upper bound'
       ELSE 'expected brackets to be two or more ascending numbers from 0 on, such as [0, 1, 4, 8], found ' || CAST(marks AS VARCHAR) END) END)
