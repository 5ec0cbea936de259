-- number_at(document, path)
-- The number at a dotted path of a JSON document; NULL if there is none: a number in a text is a text
(CASE WHEN json_type(document, '/' || replace(replace(replace(path, '~', '~0'), '/', '~1'), '.', '/')) IN ('BIGINT', 'UBIGINT', 'DOUBLE')
  THEN TRY_CAST(json_extract_string(document, '/' || replace(replace(replace(path, '~', '~0'), '/', '~1'), '.', '/')) AS DOUBLE) END)
