"""`python -m skep.cli`: the `skep` command."""

from skep.cli.main import main

if __name__ == "__main__":
    main()
