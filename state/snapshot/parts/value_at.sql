-- value_at(document, path)
-- The value at a dotted path of a JSON document as a text: texts bare, others as JSON writes them; NULL if it is missing or null
(json_extract_string(document, pointer_of(path)))
