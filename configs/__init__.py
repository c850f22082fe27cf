"""The configuration files, importable as `crnn.configs` so that an installed wheel carries them."""
