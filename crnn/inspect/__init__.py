"""`crnn check`: everything that can be said about lines before they are trained on. Runs without torch."""
