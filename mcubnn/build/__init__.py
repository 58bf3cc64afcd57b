"""Stage: compile the generated program for a board or for this computer, and measure it."""
