"""Reading a whole set and judging it by its labels. Runs without torch for .onnx files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from PIL import Image

from crnn.core.recognizer import Recognizer
from crnn.core.seen import SeenCharacters, seldom
from crnn.data.labels import EMPTY_LABEL
from crnn.data.progress import Watch, unwatched
from crnn.data.sources.base import LineSource
from crnn.errors import DataError
from crnn.report.evaluation import NOT_RECORDED, Evaluation


def _confidence_is(recognizer: Recognizer) -> str:
    if recognizer.decoder_is_given:
        return "at a temperature that was not fitted with these decoder settings (crnn export fits it)"
    return ""


def evaluate(
    recognizer: Recognizer,
    source: LineSource,
    limit: int | None = None,
    keep_characters: bool = False,
    watch: Watch = unwatched,
) -> Evaluation:
    """Read every line of `source` and compare it with its label, brought into form by the charset's text rules.

    Args:
        recognizer: the model.
        source: labelled lines.
        limit: only the first so many lines.
        keep_characters: keep places and confidences of characters, for a page.
        watch: shows progress.

    A line without a readable picture or a label (white space is none) is not judged; it is listed in `left_out`.
    """
    charset = recognizer.card.charset
    rules = charset.rules.differences()
    result = Evaluation(source.name, rules=rules, pictures=source, confidence_is=_confidence_is(recognizer))
    waiting: deque[tuple[int, str, str, str]] = deque()  # position, where, picture, label; of pictures handed out
    lines = len(source) if limit is None else min(limit, len(source))

    def pictures() -> Iterator[Image.Image]:
        for position in watch(range(lines), lines, "reading"):
            entry = source.entry(position)
            label = charset.normalize(entry.text)
            if entry.problem or not label.strip():
                result.left_out.append(f"{entry.where}: {entry.problem or EMPTY_LABEL}")
                continue
            try:
                picture = source.picture(position)
            except DataError as error:
                result.left_out.append(f"{entry.where}: {error}")
                continue
            waiting.append((position, entry.where, entry.picture, label))
            yield picture

    started, cpu_started = time.perf_counter(), time.process_time()
    for reading in recognizer.stream(pictures()):
        position, where, picture, reference = waiting.popleft()
        if isinstance(reading, DataError):
            result.left_out.append(f"{where}: {reading}")
            continue
        line = result.add(reading.text, reference, reading.confidence, position=position, where=where, picture=picture)
        if keep_characters:
            line.keep_characters(reading)
    result.seconds, result.cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    for line in result.lines:
        for symbol in charset.unknown(line.reference):
            result.unknown[symbol] = result.unknown.get(symbol, 0) + max(1, line.reference.count(symbol))
    result.unknown = dict(sorted(result.unknown.items(), key=lambda item: (-item[1], item[0])))
    seen = SeenCharacters.of_note(recognizer.card.training)
    result.training_counts = NOT_RECORDED
    if seen is not None:
        result.seldom = seldom(seen, charset, (line.reference for line in result.lines))
        result.training_counts = f"{NOT_RECORDED} of {seen.earlier}, where it began" if seen.earlier else "recorded"
    return result
