"""Training: settings in, a run folder with a checked model file out."""
