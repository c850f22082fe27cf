"""Parts that other packages add: each of the five kinds in a few lines (tests/plugins), installed and used."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from conftest import made_once
from PIL import Image
from tests_support import settings
from torch import nn

import crnn
from crnn.cli import main
from crnn.core.decode.settings import DECODERS
from crnn.core.plugins import Registry
from crnn.data.augment import CHANGES, Augment
from crnn.data.augment_config import AugmentConfig
from crnn.data.sources import FORMATS, open_source
from crnn.errors import ConfigError, DataError, ModelFileError, PluginError
from crnn.explain.shapes import stages
from crnn.export import export
from crnn.export.torch_backend import read_network
from crnn.model.backbones import BACKBONES, Backbone, make_backbone
from crnn.model.config import BackboneConfig, NetworkConfig

EXAMPLES = Path(__file__).parent / "plugins"
ADDED = {
    "format": ("semicolon", "semicolon_format:SemicolonReader"),
    "backbone": ("strips", "strips_backbone:Strips"),
    "decoder": ("sure", "sure_decoder:Sure"),
    "augmentation": ("rule", "rules_augmentation:rule"),
    "export": ("npz", "npz_export:NPZ"),
}
"""Kind -> name and entry point of its example."""
REGISTRIES = {one.kind: one for one in (FORMATS, BACKBONES, DECODERS, CHANGES, export.FORMATS)}
MOST_LINES = 14
"""Of code, imports counted, that a part takes."""


def install(site: Path, package: str, *entries: tuple[str, str, str]) -> None:
    """What pip leaves of a package: its .dist-info, with (kind, name, entry point) of its parts."""
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    text = "".join(f"[crnn.{kind}s]\n{name} = {value}\n" for kind, name, value in entries)
    (info / "entry_points.txt").write_text(text)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All examples, each in a package of its own."""
    site = tmp_path_factory.mktemp("site")
    for kind, (name, value) in ADDED.items():
        install(site, f"example-{kind}", (kind, name, value))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        patch.syspath_prepend(str(site))
        yield site


@pytest.fixture
def uninstall(installed: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Calling it takes the examples away again."""
    return lambda: monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(installed)])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for packages."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def run(installed: Path, line_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training in which everything is from outside: lines, backbone, augmentation, and the model file."""

    def make(root: Path) -> None:
        from crnn.training.run import train

        for side in ("train", "val"):
            shutil.copytree(line_folder / side, root / side, ignore=shutil.ignore_patterns("labels.tsv"))
            rows = (line_folder / side / "labels.tsv").read_text(encoding="utf-8")
            (root / side / "lines.list").write_text(rows.replace("\t", ";"), encoding="utf-8")
        calls = []
        with pytest.MonkeyPatch.context() as patch:
            import rules_augmentation

            rule = rules_augmentation.rule
            patch.setattr(rules_augmentation, "rule", lambda picture, rng: calls.append(1) or rule(picture, rng))
            overrides = [f"data.root={root}", f"runs_dir={root}", "name=run", "model=crnn_tiny", "data.workers=0"]
            overrides += ["trainer.max_epochs=2", "trainer.accelerator=cpu", "trainer.progress=false"]
            overrides += ["model.backbone.name=strips", "model.backbone.options.features=24"]
            train(settings(*overrides, "augment.extra.rule=1", "augment.until=0.5", "export.format=npz"))
        (root / "calls").write_text(str(len(calls)))

    return made_once("outside", tmp_path_factory, make) / "run"


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor docstring nor comment."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return sum(bool(line.strip()) and line.strip() != "pass" for line in ast.unparse(module).splitlines())


@pytest.mark.parametrize("kind", sorted(ADDED))
def test_a_part_is_a_few_lines_and_found_by_its_name(kind: str, installed: Path) -> None:
    name, value = ADDED[kind]
    module, _, attribute = value.partition(":")
    assert 4 < code_lines(EXAMPLES / f"{module}.py") <= MOST_LINES
    found = REGISTRIES[kind].find(name)
    assert found is getattr(sys.modules[module], attribute)
    assert (REGISTRIES[kind].added(), name in REGISTRIES[kind]) == ({name: found}, False)


def test_every_example_is_used() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {value.partition(":")[0] for _, value in ADDED.values()}
    assert set(REGISTRIES) == set(ADDED)


def test_lines_of_another_format_are_trained_on(run: Path) -> None:
    data = json.loads((run / "data.json").read_text(encoding="utf-8"))
    assert (data["train"]["lines"], data["val"]["lines"], data["train"]["dropped"]) == (48, 12, 0)
    source = open_source(run.parent / "val")
    assert source.entry(3).where.endswith("lines.list:4")
    assert source.picture(3).mode == "L"


def test_a_format_that_is_not_installed(run: Path, uninstall: object) -> None:
    uninstall()
    with pytest.raises(DataError, match=r"holds no labelled lines in a known format; allowed are: labels\.tsv"):
        open_source(run.parent / "val")


def test_formats_of_ours_come_first(installed: Path, line_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(line_folder / "val", tmp_path / "val")
    (tmp_path / "val" / "lines.list").write_text("nothing.png;other\n")
    assert len(open_source(tmp_path / "val")) == 12
    (tmp_path / "val" / "labels.tsv").unlink()
    assert [open_source(tmp_path / "val").entry(0).text] == ["other"]


def test_an_augmentation_is_called_for_every_line_until_its_epochs_end(run: Path) -> None:
    assert int((run.parent / "calls").read_text()) == 48


def test_an_augmentation_changes_pictures_in_their_own_order(installed: Path) -> None:
    off = dict.fromkeys(CHANGES, 0.0)
    paper = Image.new("L", (60, 32), 255)
    ruled = Augment(AugmentConfig(**off, extra={"rule": 1.0}))(paper, np.random.default_rng(0))
    assert [int(np.min(row)) for row in np.asarray(ruled)][:29] == [255] * 29
    assert int(np.min(np.asarray(ruled))) == 40
    inverted = Augment(AugmentConfig(**{**off, "invert": 1.0}, extra={"rule": 1.0}))(paper, np.random.default_rng(0))
    assert sorted({*np.asarray(inverted).ravel().tolist()}) == [0, 40]  # ours first


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"rool": 1.0}, r"^augment\.extra\.rool: is unknown; allowed are affine, .*crnn\.augmentations \(here: rule\)"),
        ({"rule": 1.5}, r"augment\.extra\.rule=1\.5: is a probability, 0\.\.1"),
        ({"blur": 0.5}, r"augment\.extra\.blur: is one of ours; set augment\.blur"),
        ({"until": 0.5}, r"augment\.extra\.until: is one of ours; set augment\.until"),
    ],
)
def test_wrong_augmentations_are_refused(extra: dict[str, float], message: str, installed: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        Augment(AugmentConfig(extra=extra))


def test_a_typo_is_refused_before_lines_are_opened(installed: Path, tmp_path: Path) -> None:
    from crnn.training.run import train

    for word in ("augment.extra.rool=1", "model.backbone.name=stripes", "model.backbone.options.feature=3"):
        words = [f"runs_dir={tmp_path}", word, "model=crnn_tiny"]
        with pytest.raises(ConfigError, match=r"rool|stripes|feature"):
            train(settings(*words))  # on rendered lines, which are not augmented
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=r"export\.format=nzp: is unknown; allowed are onnx, safetensors, none, and"):
        settings("export.format=nzp")


def test_an_augmentation_that_changes_the_size_is_named(monkeypatch: pytest.MonkeyPatch, installed: Path) -> None:
    import rules_augmentation

    monkeypatch.setattr(rules_augmentation, "rule", lambda picture, rng: picture.resize((9, 32)))
    augment = Augment(AugmentConfig(**dict.fromkeys(CHANGES, 0.0), extra={"rule": 1.0}))
    with pytest.raises(ConfigError, match=r"augmentation 'rule' made a picture of mode L and \(9, 32\) pixels"):
        augment(Image.new("L", (60, 32)), np.random.default_rng(0))


def test_a_checkpoint_names_its_backbone_and_opens_again(run: Path) -> None:
    card, network = read_network(run / "checkpoints" / "best.ckpt")
    assert card.network["backbone"] == {"name": "strips", "options": {"features": 24}}
    assert type(network.backbone).__name__ == "Strips"
    assert network.backbone.conv.weight.shape == (24, 1, 32, 4)
    assert "model: crnn_tiny with the backbone strips" in (run / "train.log").read_text(encoding="utf-8")
    picture = next((run.parent / "val" / "images").iterdir())
    assert isinstance(crnn.load(run).recognize([picture])[0].text, str)
    [features] = [stage for stage in stages(network, 64) if stage.name == "features"]
    assert features.example == (1, 24, 1, 16)


def test_a_backbone_that_is_not_installed_is_named(run: Path, uninstall: object) -> None:
    uninstall()
    with pytest.raises(
        ModelFileError,
        match=r"best\.ckpt: its backbone 'strips' is unknown; allowed are conv, and .*crnn\.backbones \(here: nothing\)",
    ):
        crnn.load(run)


def test_an_onnx_file_needs_no_backbone(run: Path, tmp_path: Path, uninstall: object) -> None:
    model = tmp_path / "model.onnx"
    assert main(["export", str(run / "checkpoints" / "best.ckpt"), "-o", str(model)]) == 0
    picture = next((run.parent / "val" / "images").iterdir())
    expected = crnn.load(run).recognize([picture])[0].text
    uninstall()
    assert crnn.load(model).recognize([picture])[0].text == expected


def test_an_exported_file_of_another_format_is_checked_and_named(run: Path) -> None:
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    assert result["model"] == "model.npz"
    assert "same text" in result["parity"]
    assert np.load(run / "model.npz")["backbone.conv.weight"].shape == (24, 1, 32, 4)
    said = (run / "train.log").read_text(encoding="utf-8")
    assert f"crnn recognize {run} {run}{os.sep}samples" in said  # not model.npz, which is for other programs


def test_crnn_export_takes_another_format(
    run: Path, tmp_path: Path, uninstall: object, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, out = str(run / "checkpoints" / "best.ckpt"), tmp_path / "a.npz"
    for words in (["--to", "npz"], []):  # the ending says it, too
        out.unlink(missing_ok=True)
        assert main(["export", checkpoint, *words, "-o", str(out)]) == 0
    assert "same text" in capsys.readouterr().out
    out.unlink()
    uninstall()
    assert main(["export", checkpoint, "--to", "npz", "-o", str(out)]) == 2
    assert "export 'npz' is unknown; allowed are onnx, safetensors, and" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_decoder_is_chosen_and_kept_in_a_file(
    trained: Path,
    line_folder: Path,
    installed: Path,
    tmp_path: Path,
    uninstall: object,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = str(sorted((line_folder / "val" / "images").iterdir())[0])

    def reads(*words: str) -> str:
        assert main(["recognize", *words, picture]) == 0
        return capsys.readouterr().out

    model, kept = str(trained / "model.onnx"), str(tmp_path / "sure.safetensors")
    greedy = reads(model)
    assert len(greedy.rpartition("\t")[2].strip()) > 0
    assert reads(model, "--decoder", '{"name": "sure", "least": 0}') == greedy
    assert reads(model, "--decoder", '{"name": "sure", "least": 1.01}') != greedy
    nothing = ["--decoder", '{"name": "sure", "least": 1.01}']
    export_words = ["export", str(trained / "checkpoints" / "best.ckpt"), "--to", "safetensors", "-o", kept]
    assert main([*export_words, *nothing]) == 0
    capsys.readouterr()
    assert crnn.load(kept).card.decoder == {"name": "sure", "least": 1.01}
    assert reads(kept) == reads(model, *nothing)
    uninstall()
    assert main(["recognize", kept, picture]) == 2
    assert "the model card's decoder: decoder 'sure' is unknown; allowed are greedy, beam, and" in (
        capsys.readouterr().err
    )
    assert reads(kept, "--decoder", "greedy") == greedy


@pytest.mark.parametrize(
    ("decoder", "beam", "message"),
    [
        ("shure", None, r"decoder 'shure' is unknown; allowed are greedy, beam, .*crnn\.decoders \(here: sure\)"),
        ("{sure", None, "decoder '{sure' is not JSON, such as"),
        ("sure", 3, "decoder and beam, which is of the beam search, do not go together"),
        ({"width": 3}, None, "decoder None is unknown"),
    ],
)
def test_wrong_decoders_are_refused(decoder: object, beam: int | None, message: str, installed: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        crnn.load(decoder=decoder, beam=beam)
    assert crnn.load(decoder={"name": "beam", "width": 3}).decoder.width == 3


@pytest.mark.parametrize("name", ["os:system", "torch.nn:Linear", "sure_decoder:Sure", "../sure_decoder.py", ""])
def test_a_file_names_parts_and_never_code(name: str, installed: Path) -> None:
    for registry in REGISTRIES.values():
        with pytest.raises(PluginError, match="is unknown; allowed are"):
            registry.find(name)


def test_nobody_is_asked_while_the_names_are_ours(monkeypatch: pytest.MonkeyPatch, line_folder: Path) -> None:
    def asked(**_: object) -> None:
        raise AssertionError("entry points were looked up")

    monkeypatch.setattr(importlib.metadata, "entry_points", asked)
    picture = next((line_folder / "val" / "images").iterdir())
    assert main(["recognize", str(picture), "--beam", "3"]) == 0
    for registry in REGISTRIES.values():
        for name, part in registry.items():
            assert registry.find(name) is part
    with pytest.raises(AssertionError, match="looked up"):
        DECODERS.find("sure")


def test_a_part_that_cannot_be_imported_is_named_with_its_package(site: Path) -> None:
    (site / "broken_part.py").write_text("import no_such_module_at_all\n")
    install(site, "some-decoders", ("decoder", "torn", "broken_part:Torn"))
    with pytest.raises(PluginError) as caught:
        DECODERS.find("torn")
    for word in (
        "decoder 'torn'",
        "'broken_part:Torn'",
        "the package some-decoders",
        "crnn.decoders",
        "ModuleNotFound",
    ):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", sorted(ADDED))
def test_what_is_no_such_part_is_refused(kind: str, site: Path) -> None:
    install(site, "wrong", (kind, "wrong", "math:pi"))
    with pytest.raises(PluginError, match=rf"{kind} 'wrong': the entry point 'math:pi' of the package wrong .* is no"):
        REGISTRIES[kind].find("wrong")


def test_two_parts_with_one_name_are_refused(site: Path) -> None:
    install(site, "first", ("decoder", "twin", "math:sqrt"))
    assert DECODERS.installed()["twin"].value == "math:sqrt"
    install(site, "second", ("decoder", "twin", "math:cos"))
    with pytest.raises(
        PluginError, match=r"decoder 'twin' is added twice .* the package (first|second) and by the pack"
    ):
        DECODERS.find("twin")


def test_nobody_replaces_one_of_ours(site: Path) -> None:
    install(site, "thief", ("decoder", "greedy", "math:sqrt"))
    assert DECODERS.find("greedy") is DECODERS["greedy"]
    with pytest.raises(PluginError, match="decoder 'greedy' is one of ours, and the package thief adds another one"):
        DECODERS.find("other")


class Neighbourly(Backbone):
    """Looks at the next column, wherever a line ends."""

    features, step = 2, 4

    def __init__(self, height: int, rows: int = 1) -> None:
        super().__init__()
        self.pool, self.rows = nn.AvgPool2d((height, 4)), rows

    def forward(self, images: torch.Tensor, widths: torch.Tensor | None) -> torch.Tensor:
        means = self.pool(images)
        return (means + nn.functional.pad(means, (0, 1))[..., 1:]).expand(-1, 2, self.rows, -1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "the features of a line depend on what stands right of it"),
        ({"rows": 2}, r"makes \(1, 2, 2, 8\) of a picture of 8 time steps; \(1, 2, 1, 8\) is what"),
        ({"colour": 2}, r"cannot be made with height=32, {'colour': 2}: .*unexpected keyword argument 'colour'"),
        ({"height": 2}, "multiple values for keyword argument 'height'"),
    ],
)
def test_a_backbone_keeps_its_contract_or_is_refused(
    settings: dict[str, int], message: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("neighbourly_part")
    module.Neighbourly = Neighbourly
    monkeypatch.setitem(sys.modules, module.__name__, module)
    install(
        site, "neighbours", ("backbone", "near", "neighbourly_part:Neighbourly"), ("backbone", "list", "builtins:id")
    )
    with pytest.raises(ConfigError, match=f"backbone 'near'.*{message}"):
        make_backbone("near", settings, 32)


def test_cards_of_our_backbones_are_as_they_were() -> None:
    assert set(NetworkConfig().to_dict()["backbone"]) == {"channels", "pools", "features", "column_pool"}
    with pytest.raises(ConfigError, match=r"model\.backbone\.options={'depth': 3}: are for backbones of installed"):
        BackboneConfig(options={"depth": 3}).settings()
    for backbone in ({"name": 3}, {"name": "strips", "options": [1]}, {"name": "strips", "depth": 3}):
        with pytest.raises(ConfigError, match="not the description of a network"):
            NetworkConfig.from_dict({**NetworkConfig().to_dict(), "backbone": backbone})


def test_a_registry_is_empty_without_packages() -> None:
    registry: Registry[object] = Registry("no_such_kind", {"a": 1}, "here")
    assert (registry.group, registry.added(), registry.find("a")) == ("crnn.no_such_kinds", {}, 1)
