-- pointer_of(path)
-- A dotted path as a JSON pointer, which takes every key
('/' || replace(replace(replace(path, '~', '~0'), '/', '~1'), '.', '/'))
