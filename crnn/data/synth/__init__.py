"""Lines rendered on the fly: fonts, texts, ink and wear. Runs without torch."""
