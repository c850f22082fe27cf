"""A decoder: the greedy reading without the characters that it is not sure of."""

from crnn.core.decode import Decoded, GreedyDecoder


class Sure:
    def __init__(self, settings, charset):
        self.greedy, self.least = GreedyDecoder(), float(settings.get("least", 0.5))

    def __call__(self, log_probs, lengths):
        return [self.sure(line) for line in self.greedy(log_probs, lengths)]

    def sure(self, line):
        kept = [i for i, confidence in enumerate(line.confidences) if confidence >= self.least]
        return Decoded(*([part[i] for i in kept] for part in line[:3]), line.confidence)
