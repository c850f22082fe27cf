"""The parts of the page that stand still: figures, tables, the reliability curve, the confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from crnn.core.charset import describe
from crnn.errors import printable
from crnn.report.bootstrap import Interval
from crnn.report.calibration import reliability
from crnn.report.characters import CharacterCounts, Confusion
from crnn.report.evaluation import Evaluation
from crnn.report.figures import WORDLESS, Figures
from crnn.report.table import remarks, seldom_kind, shown, span

FIRST_CONFUSIONS = 12
"""Of each kind that are seen at once."""
NEW_CHARACTERS = 300
_SEEN = {"never": "never", "rendered": "in rendered lines alone", "rare": "{:,} times"}
LEFT_OUT = 200
"""Lines not judged that are named."""
_SIDE, _LEFT, _BELOW, _TOP = 260, 52, 44, 10


def cards(whole: Evaluation) -> str:
    """The headline."""
    raw = whole.figures["raw"]
    counts = raw.counts
    found = [
        ("Character error rate", f"{counts.cer:.2%}", _interval(raw.cer)),
        ("Word error rate", f"{counts.wer:.2%}", _interval(raw.wer)),
        ("Lines without any error", f"{counts.exact_rate:.2%}", _interval(raw.exact)),
        ("Lines", f"{counts.lines:,}", f"{counts.characters:,} characters, {counts.words:,} words"),
    ]
    if whole.calibration_error is not None:
        share = (whole.to_check or 0) / max(len(whole.sure[0]), 1)
        check = f"check {share:.1%} to get 99 % right" if share < 1 else "check all lines to get 99 % right"
        found.append(("Calibration error", f"{whole.calibration_error:.1%}", check))
    if whole.lines_per_second:
        speed = len(whole.lines) / max(whole.cpu_seconds, 1e-9)
        found.append(
            ("Lines per CPU-second", f"{speed:,.0f}", f"{whole.lines_per_second:,.0f} per second by the clock")
        )
    return "<dl class=cards>" + "".join(f"<div><dt>{a}<dd>{b}<small>{c}</small></div>" for a, b, c in found) + "</dl>"


def notices(whole: Evaluation) -> str:
    """What has to be known about the figures, and the lines that were left out, one by one."""
    said = "".join(f"<li>{escape(remark[:1].upper() + remark[1:])}." for remark in remarks(whole))
    if whole.left_out:
        rows = "".join(f"<li>{escape(printable(line, 400))}" for line in whole.left_out[:LEFT_OUT])
        more = len(whole.left_out) - LEFT_OUT
        rest = f"<li>... and {more:,} more" if more > 0 else ""
        said += f"<li><details><summary>Not judged: {len(whole.left_out):,}</summary><ul>{rows}{rest}</ul></details>"
    return f"<ul class=remarks>{said}</ul>" if said else ""


def groups(evaluations: Sequence[Evaluation], whole: Evaluation) -> str:
    """Figures by what is forgiven, by source, by length, and errors by kind of character."""
    parts = [_rates("What is compared", whole.figures, words=True)]
    if len(evaluations) > 1:
        parts.append(
            _rates("By source", {one.source: one.figures["raw"] for one in evaluations if one.lines}, words=True)
        )
    if len(whole.by_length) > 1:
        parts.append(_rates("By length of the label, in characters", whole.by_length))
    parts.append(_characters("By kind of character", whole.characters.by_class()))
    scripts = whole.characters.by_script()
    if len(scripts) > 2:
        parts.append(_characters("By script", scripts))
    parts.append(new_characters(whole))
    return "".join(parts)


def new_characters(whole: Evaluation) -> str:
    """Characters that the model does not have, or hardly or never saw in training, and how they were read."""
    misread, count = whole.characters.misread(), whole.characters.references
    rows = [(c, "the model does not have it", n, n) for c, n in whole.unknown.items()]
    rows += [
        (character, _SEEN[seldom_kind(one)].format(one.training), count[character], misread[character])
        for character, one in whole.seldom.items()
    ]
    if not rows:
        return ""
    body = "".join(
        f"<tr><th scope=row title='{escape(describe(c))}'><bdi>{escape(_glyph(c))}</bdi><td>{said}"
        f"<td class=n>{here:,}<td class=n>{wrong:,}"
        for c, said, here, wrong in rows[:NEW_CHARACTERS]
    )
    more = f"<p class=note>... and {len(rows) - NEW_CHARACTERS:,} more</p>" if len(rows) > NEW_CHARACTERS else ""
    table = (
        "<table><thead><tr><th>character<th>in training<th class=n>in these labels<th class=n>not read right"
        f"<tbody>{body}</table>{more}"
    )
    if len(rows) > FIRST_CONFUSIONS:
        table = f"<details><summary>{len(rows):,} characters</summary>{table}</details>"
    return f"<section><h2>Characters new to the model</h2>{table}</section>"


def _rates(title: str, rows: Mapping[str, Figures], words: bool = False) -> str:
    top = max((one.cer.high if one.cer else one.counts.cer for one in rows.values()), default=0) or 1
    head = f"<th class=n>lines<th class=n>CER<th aria-hidden=true>{'<th class=n>WER' if words else ''}<th class=n>exact"
    body = ""
    for name, one in rows.items():
        wer = "" if name in WORDLESS else f"{one.counts.wer:.2%}"
        body += (
            f"<tr><th scope=row>{escape(printable(name))}<td class=n>{one.counts.lines:,}"
            f"<td class=n title='{_interval(one.cer)}'>{one.counts.cer:.2%}"
            f"<td class=w aria-hidden=true>{_whisker(one.counts.cer, one.cer, top)}"
            f"{f'<td class=n>{wer}' if words else ''}<td class=n title='{_interval(one.exact)}'>"
            f"{one.counts.exact_rate:.2%}"
        )
    return f"<section><h2>{title}</h2><table><thead><tr><th>{head}<tbody>{body}</table></section>"


def _interval(interval: Interval | None) -> str:
    return f"95 %: {span(interval)}{' %' if interval else ''}"


def _whisker(value: float, interval: Interval | None, top: float) -> str:
    """A dot with its 95 % interval, 0 at the left, `top` at the right."""
    low, high, dot = (100 * min(x / top, 1) for x in (*(interval or (value, value)), value))
    return (
        f"<span class=whisker><s style='left:{low:.1f}%;width:{high - low:.1f}%'></s>"
        f"<b style='left:{dot:.1f}%'></b></span>"
    )


def _characters(title: str, rows: Mapping[str, CharacterCounts]) -> str:
    rows = {name: one for name, one in rows.items() if one.characters}  # of none there is no rate
    top = max((one.error_rate for one in rows.values()), default=0) or 1
    body = "".join(
        f"<tr><th scope=row>{escape(name)}<td class=n>{one.characters:,}<td class=n>{one.error_rate:.2%}"
        f"<td class=w aria-hidden=true><span class=share style='width:{100 * one.error_rate / top:.1f}%'></span>"
        f"<td class=n>{one.wrong:,}<td class=n>{one.missing:,}<td class=n>{one.extra:,}"
        for name, one in rows.items()
    )
    head = "<th class=n>count<th class=n>errors<th aria-hidden=true>" + "".join(
        f"<th class=n>{name}" for name in ("wrong", "missing", "extra")
    )
    return f"<section><h2>{title}</h2><table><thead><tr><th>{head}<tbody>{body}</table></section>"


def curve(whole: Evaluation) -> str:
    """The reliability curve as SVG; empty without confidences."""
    bins = reliability(*whole.sure)
    if not bins:
        return ""
    most = max(one.lines for one in bins)

    def x(share: float) -> float:
        return _LEFT + share * _SIDE

    def y(share: float) -> float:
        return _TOP + (1 - share) * _SIDE

    ticks = "".join(
        f"<path class=grid d='M{x(t):.0f} {y(0):.0f}V{y(1):.0f}M{x(0):.0f} {y(t):.0f}H{x(1):.0f}'/>"
        f"<text x={x(t):.0f} y={y(0) + 16:.0f} text-anchor=middle>{t:.0%}</text>"
        f"<text x={x(0) - 6:.0f} y={y(t) + 4:.0f} text-anchor=end>{t:.0%}</text>"
        for t in (0, 0.25, 0.5, 0.75, 1)
    )
    bars = "".join(
        f"<rect class=lines x={x(one.low) + 1:.1f} y={y(0.25 * one.lines / most):.1f} width={_SIDE / 15 - 2:.1f} "
        f"height={0.25 * _SIDE * one.lines / most:.1f} />"
        for one in bins
    )
    path = "".join(f"{'L' if i else 'M'}{x(one.confidence):.1f} {y(one.right):.1f}" for i, one in enumerate(bins))
    dots = "".join(
        f"<circle cx={x(one.confidence):.1f} cy={y(one.right):.1f} r=4.5 ><title>confidence {one.low:.0%} to "
        f"{one.high:.0%}: {one.lines:,} lines, mean confidence {one.confidence:.1%}, {one.right:.1%} right</title>"
        "</circle>"
        for one in bins
    )
    size = _LEFT + _SIDE + 22, _TOP + _SIDE + _BELOW
    worst = max(bins, key=lambda one: one.lines * abs(one.confidence - one.right))
    said = (
        f"Calibration error {whole.calibration_error or 0:.1%}. On the dashed line, confidences keep their word; below "
        f"it the reader is too sure. Bars: lines at each confidence, {most:,} at most. Farthest off: at "
        f"{worst.confidence:.0%}, {worst.right:.0%} are right ({worst.lines:,} lines)."
    )
    return (
        "<section><h2>Does confidence keep its word?</h2><figure>"
        f"<svg viewBox='0 0 {size[0]} {size[1]}' role=img aria-labelledby='curve-title curve-text'>"
        "<title id=curve-title>Reliability curve: share of lines that are right, by confidence</title>"
        f"{ticks}{bars}<path class=ideal d='M{x(0):.0f} {y(0):.0f}L{x(1):.0f} {y(1):.0f}'/>"
        f"<path class=curve d='{path}'/>{dots}"
        f"<text x={x(0.5):.0f} y={size[1] - 6} text-anchor=middle>confidence of the line (%)</text>"
        f"<text transform='translate(12 {y(0.5):.0f})rotate(-90)' text-anchor=middle>lines that are right (%)</text>"
        f"</svg><figcaption id=curve-text>{said}</figcaption></figure></section>"
    )


def confusions(found: Sequence[Confusion]) -> str:
    """Three lists of buttons; each shows only the lines in which it happened."""
    if not found:
        return ""
    kinds = {(True, True): "Read as another", (True, False): "Missing in the reading", (False, True): "Too many"}
    most, parts = found[0].count, []
    for kind, title in kinds.items():
        mine = [(n, one) for n, one in enumerate(found) if (bool(one.pair.true), bool(one.pair.read)) == kind]
        if not mine:
            continue
        items = [f"<li>{_confusion(number, one, most)}" for number, one in mine]
        rest = (
            f"<details><summary>{len(items) - FIRST_CONFUSIONS} more</summary>"
            f"<ul>{''.join(items[FIRST_CONFUSIONS:])}</ul></details>"
            if len(items) > FIRST_CONFUSIONS
            else ""
        )
        parts.append(f"<div><h3>{title}</h3><ul>{''.join(items[:FIRST_CONFUSIONS])}</ul>{rest}</div>")
    return (
        "<section class=confusions><h2>What is read instead of what</h2>"
        f"<p class=note>Click one to see only its lines.</p><div class=columns>{''.join(parts)}</div></section>"
    )


def _confusion(number: int, one: Confusion, most: int) -> str:
    true, read = (escape(_glyph(character)) for character in one.pair)
    said = f"{shown(one.pair.true)} read as {shown(one.pair.read)}, {one.count:,} times"
    if not one.pair.read:
        pair = f"<bdi>{true}</bdi>"
    elif not one.pair.true:
        pair = f"<bdi>{read}</bdi>"
    else:
        pair = f"<bdi>{true}</bdi><span class=to>→</span><bdi>{read}</bdi>"
    return (
        f'<button type=button class=confusion data-number={number} aria-pressed=false aria-label="{escape(said)}" '
        f'title="{escape("; ".join(printable(where) for where in one.lines))}"><span class=pair>{pair}</span>'
        f"<span class=share style='width:{60 * one.count / most:.1f}%'></span><span class=times>{one.count:,}</span>"
        "</button>"
    )


def _glyph(character: str) -> str:
    """A character, so that it can be seen."""
    if character == " ":
        return "␣"
    return character if character.isprintable() and not character.isspace() else printable(repr(character)[1:-1])
