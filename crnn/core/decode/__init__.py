"""From log-probabilities to text."""

from crnn.core.decode.base import Decoded, Decoder, DecoderMaker
from crnn.core.decode.beam import BeamDecoder, Text
from crnn.core.decode.greedy import GreedyDecoder

__all__ = ["BeamDecoder", "Decoded", "Decoder", "DecoderMaker", "GreedyDecoder", "Text"]
