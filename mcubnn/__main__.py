"""`python -m mcubnn`."""

from __future__ import annotations

from mcubnn.cli import main

if __name__ == "__main__":
    main()
