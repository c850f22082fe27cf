"""Lines of any format we read, written in one that others read: streaming, resumable, and read back."""

from crnn.data.convert.base import Converted
from crnn.data.convert.run import convert

__all__ = ["Converted", "convert"]
