"""One file a YAML file that people edit, and loading all of them."""
