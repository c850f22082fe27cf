"""Reading pictures from the command line: what goes in, what comes out. Runs without torch."""
