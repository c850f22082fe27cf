"""From any format to another: pictures byte for byte, labels to the code point, read back and compared."""
