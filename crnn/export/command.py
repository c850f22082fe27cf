"""`crnn export`: a model file of a checkpoint, checked on the run's own validation lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crnn.core.card import ModelCard
from crnn.core.decode.settings import Texts, beam_settings, make_decoder
from crnn.core.recognizer import Recognizer
from crnn.data.recorded import recorded_lines, recorded_texts
from crnn.data.sources import LineSource, open_source
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError, DataError, ModelFileError, printable, unwritten
from crnn.export.average import averaged
from crnn.export.export import FORMATS, export_model
from crnn.export.half import export_half
from crnn.export.parity import PARITY_LINES, spread_pictures
from crnn.export.quantize import make_int8
from crnn.export.torch_backend import TorchBackend
from crnn.files import write_atomic
from crnn.loader import MODEL_SUFFIXES, read_card
from crnn.model.crnn import CRNN
from crnn.models import NAMES, bundled
from crnn.report.calibration import fit_temperature
from crnn.report.lm_weights import choose_weights

TRAINED_ON = "train"
"""As --lm: what the lines said that the network learnt from."""


def export_checkpoint(
    checkpoint: Path,
    format: str,
    output: Path | None,
    data: str | None,
    int8: bool = False,
    half: bool = False,
    trim: bool | None = None,
    lm: Texts | None = None,
    average: Sequence[Path] = (),
    **decoder: Any,
) -> str:
    """Write the model file and say what was checked.

    Of a checkpoint, or with decoder settings, the temperature of the file's confidences is fitted anew on what the
    file's decoder reads of the validation lines, or of `data`; it stays as it is where there are none. So are the
    weights of a new language model chosen, unless one of them is given.

    Args:
        checkpoint: .ckpt or .safetensors; a run folder, whose best checkpoint it is; or ``bundled``.
        format: ``onnx``, ``safetensors``, or one that an installed package adds.
        output: of the new file; beside the checkpoint if None, of a run folder its ``model.onnx`` (or what `format`
            says), which is replaced; of the bundled model ``bundled.onnx`` in the current folder.
        data: lines for the checks; None takes the run's validation lines, or (but for int8, which needs labelled lines
            of the kind that the model reads) rendered ones if they are gone.
        int8: convolutions in 8-bit integers, for processors that are fast with them (``onnx`` only).
        half: weights in float16, half the size (``safetensors`` only).
        trim: whether readers of the file cut paper around lines off first, see `crnn.core.trim`; None: as the
            checkpoint says.
        lm: texts for a language model that the file keeps: a text file, the texts themselves, or ``train`` for what
            the run's training lines said, see `recorded_texts`.
        average: further models, run folders or ``bundled``; the file holds the mean of all their weights, and the
            temperature is fitted anew.
        decoder: further decoder settings that the file keeps, see `crnn.core.decode.settings.beam_settings`.

    Raises:
        ConfigError: for decoder settings that are not valid, or an `output` that is the checkpoint itself.
        ModelFileError: if the new file does not read like torch, or int8 or half costs accuracy; nothing is written
            then.
    """
    if half and format != "safetensors":
        raise ConfigError(f"--half goes with --to safetensors; {format} files keep float32 (or --int8)")
    if int8 and format != "onnx":
        raise ConfigError(f"--int8 goes with --to onnx; {format} files keep float32")
    FORMATS.find(format)  # refused before anything is read
    named = checkpoint
    if str(checkpoint) in NAMES:
        checkpoint = _weights_of(checkpoint)
    elif checkpoint.is_dir():  # a run: its best checkpoint, for its model file
        named, checkpoint = checkpoint / "model", _weights_of(checkpoint)
        if not checkpoint.is_file():
            raise ModelFileError(
                f"{printable(named.parent)}: is no run folder with checkpoints/best.ckpt; name one, or a checkpoint"
            )
    path = output or named.with_suffix(".int8.onnx" if int8 else ".half.safetensors" if half else f".{format}")
    was_there = path.is_file()
    if os.path.exists(path) and os.path.exists(checkpoint) and os.path.samefile(path, checkpoint):
        raise ConfigError(
            f"{printable(path)}: is what is exported, and would be written over; name another file with --output"
        )
    if path.suffix in MODEL_SUFFIXES and path.suffix != f".{format}":
        raise ConfigError(f"{printable(path)}: --to {format} writes another kind of file; name it .{format}")
    if not path.parent.is_dir():
        raise ConfigError(f"{printable(path)}: cannot be written; name a file in a folder that is there")
    card, network = averaged([checkpoint, *map(_weights_of, average)])
    if str(named) in NAMES:  # its language model is in the file that it reads with
        ours = read_card(None)
        card = replace(card, decoder=ours.decoder, temperature=ours.temperature)
    card = card if trim is None else replace(card, trim=trim)
    texts = recorded_texts(card.training, checkpoint) if lm == TRAINED_ON else lm
    settings = beam_settings(card.decoder, card.charset, lm=texts, **decoder)
    if settings is not None:
        make_decoder(settings, card.charset)  # refuses what is not valid
        card = replace(card, decoder=settings)
    fitted = ""
    if settings is not None or average or checkpoint.suffix == ".ckpt":  # a checkpoint has no temperature yet
        weights = lm is not None and decoder.get("lm_weight") is None and decoder.get("length_bonus") is None
        card, fitted = _settled(card, network, data, checkpoint, weights)
    if int8:
        checked = _int8(card, network, path, data, checkpoint)
    else:
        name, source = _lines(card.training, data, checkpoint)
        found = (
            export_half(card, network, path, source)
            if half
            else export_model(card, network, path, format, spread_pictures(source))
        )
        checked = f"{name}: {found}"
    replaced = ", in place of the file that was there" if was_there else ""
    if was_there and (path.parent / "report.html").is_file():
        replaced += ", which report.html there is about"
    return f"{path}: {path.stat().st_size / 1e6:.1f} MB{replaced}; {checked}{fitted}"


def _weights_of(model: Path) -> Path:
    """The file with a model's weights for torch."""
    if str(model) in NAMES:
        return bundled(".safetensors")
    return model / "checkpoints" / "best.ckpt" if model.is_dir() else model


def format_of(output: Path | None) -> str:
    """The format that a file's ending names, ours or of an installed package; ONNX if there is no file, or no ending.

    Raises:
        ConfigError: for any other ending.
    """
    ending = output.suffix.removeprefix(".").lower() if output else ""
    if not ending:
        return "onnx"
    FORMATS.find(ending, f"{printable(output)}: the format that its ending names")
    return ending


def _settled(
    card: ModelCard, network: CRNN, data: str | None, checkpoint: Path, weights: bool
) -> tuple[ModelCard, str]:
    """The card with what its decoder asks for, settled on validation lines, and what to say of it.

    Args:
        weights: those of the language model are chosen, too, before the temperature is fitted.
    """
    try:
        labelled = open_source(data) if data is not None else recorded_lines(card.training, "val", checkpoint)
    except DataError:
        if data is not None:
            raise
        return (
            card,
            f"; temperature {card.temperature:g} as it was: no validation lines to fit it on (--data names some)",
        )
    said = ""
    if weights:
        chosen = choose_weights(Recognizer(TorchBackend(replace(card, temperature=1.0), network)), labelled)
        pair = {"lm_weight": chosen.lm_weight, "length_bonus": chosen.length_bonus}
        card = replace(card, decoder={**card.decoder, **pair})
        if chosen.lines:
            said = (
                f"; lm weight {chosen.lm_weight:g} and length bonus {chosen.length_bonus:g}, chosen on "
                f"{chosen.lines:,} validation lines (CER {chosen.cer:.2%}, without {chosen.without:.2%})"
            )
            if chosen.cer > chosen.without:
                said += "; it reads these lines worse: leave --lm out, or name other texts"
    fitted = replace(card, temperature=fit_temperature(Recognizer(TorchBackend(card, network)), labelled))
    said += "" if fitted == card else f"; temperature {fitted.temperature:g}, fitted to what its decoder reads"
    return fitted, said


def _int8(card: ModelCard, network: CRNN, path: Path, data: str | None, checkpoint: Path) -> str:
    """Write an int8 file; what was checked."""
    labelled = open_source(data) if data is not None else recorded_lines(card.training, "val", checkpoint)
    try:  # scales from other lines than those that check them
        calibration = recorded_lines(card.training, "train", checkpoint)
    except DataError:
        calibration = labelled
    try:
        with tempfile.TemporaryDirectory(prefix=".crnn-", dir=path.parent) as folder:
            floating = Path(folder, "float32.onnx")
            parity = export_model(card, network, floating, "onnx", spread_pictures(labelled), path)
            with write_atomic(path) as temporary:
                result = make_int8(floating, temporary, card, calibration, labelled, path)
    except OSError as error:
        raise ModelFileError(unwritten(path, error)) from None
    return f"float32: {parity}; {labelled.name}: {result}"


def _lines(training: dict[str, Any], data: str | None, checkpoint: Path) -> tuple[str, LineSource]:
    if data is not None:
        return data, open_source(data)
    try:
        source = recorded_lines(training, "val", checkpoint)
        return f"validation lines of {source.name}", source
    except DataError:  # moved, or rendered
        rendered = synthetic_pair(lines=1, val_lines=PARITY_LINES, seed=0)[1]
        return "rendered lines (the run's own are not there)", rendered
