"""How records come in: files, their rows, where reading stands."""
