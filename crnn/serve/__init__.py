"""Reading over HTTP: `crnn serve`. Runs without torch; needs the extra ``serve``."""
