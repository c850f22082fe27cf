"""Readers of line data, one file per format family, behind one registry."""

from crnn.data.sources.base import LineEntry, LineSource, ReadOptions
from crnn.data.sources.registry import FORMATS, open_source

__all__ = ["FORMATS", "LineEntry", "LineSource", "ReadOptions", "open_source"]
