"""From a checkpoint to a model file that is carried away, checked before it is written."""
