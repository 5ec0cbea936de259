-- number_at(document, path)
-- The number at a dotted path of a JSON document; NULL if there is none: a number in a text is a text
(CASE WHEN json_type(document, pointer_of(path)) IN ('BIGINT', 'UBIGINT', 'DOUBLE')
  THEN TRY_CAST(json_extract_string(document, pointer_of(path)) AS DOUBLE) END)
