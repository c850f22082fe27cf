"""Settings on the command line: what is wrong with one is said in one line, with what was probably meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests_support import settings

from crnn.errors import ConfigError
from crnn.training import main
from crnn.training.config import config_folder, register
from crnn.training.overrides import quoted, refuse_wrong

HELP = "(crnn train --cfg job lists all settings)"


@pytest.fixture(autouse=True)
def registered() -> None:
    register()


@pytest.mark.parametrize("text", ["c ", " ", "+5", ".50", "5_0", "1e5", "a,b", "[x]", "'", "\\", "é'\"", "true"])
@pytest.mark.parametrize("setting", ["extra", "symbols"])
def test_characters_are_text_as_it_stands(setting: str, text: str) -> None:
    config = settings("model=crnn_tiny", quoted(f"charset.{setting}={text}"))
    assert getattr(config.charset, setting) == text
    assert quoted(f"charset.{setting}='a b'") == f"charset.{setting}='a b'"
    assert quoted("charset.symbols=null") == "charset.symbols=null"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.rot=x", f"data.rot=x: there is no setting data.rot; did you mean data.root? {HELP}"),
        ("batch_size=3", f"batch_size=3: there is no setting batch_size; did you mean data.batch_size? {HELP}"),
        ("rot=x", f"rot=x: there is no setting rot; did you mean data.root? {HELP}"),
        ("qqqqqqqq=x", f"qqqqqqqq=x: there is no setting qqqqqqqq {HELP}"),
        (
            "image.height.x=3",
            f"image.height.x=3: there is no setting image.height.x; did you mean image.height? {HELP}",
        ),
        ("+image.hight=32", f"+image.hight=32: there is no setting image.hight; did you mean image.height? {HELP}"),
        ("--epochs", f"--epochs: there is no such option; write setting=value, such as trainer.max_epochs=3 {HELP}"),
        ("--max-epochs=3", f"--max-epochs=3: there is no such option; write trainer.max_epochs=... {HELP}"),
        ("-e", f"-e: there is no such option; write setting=value {HELP}"),
        ("resume", f"resume: has no value; write resume=... {HELP}"),
        ("lines", f"lines: has no value; write setting=value, such as data.root=my_lines {HELP}"),
        ("~augment", f"~augment: a setting cannot be left out; give it another value, as in augment=... {HELP}"),
        ("=3", f"=3: has no name; write setting=value, such as data.root=my_lines {HELP}"),
        (
            "model=crnn_smal",
            "model=crnn_smal: there is no such model; did you mean model=crnn_small? There are crnn, crnn_fast, "
            "crnn_small, crnn_tiny",
        ),
        ("model=foo", "model=foo: there is no such model; there are crnn, crnn_fast, crnn_small, crnn_tiny"),
        (
            "trainer.max_epochs=many",
            "trainer.max_epochs=many: Value 'many' of type 'str' could not be converted to Integer",
        ),
    ],
)
def test_a_wrong_word_is_refused_in_one_line(word: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_wrong(["data.root=lines", word])
    assert str(caught.value) == said


@pytest.mark.parametrize("values", [("8", "many"), ("many", "8")])
def test_of_a_setting_that_comes_twice_the_wrong_value_is_named(values: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^data\.batch_size=many: Value 'many'"):
        refuse_wrong([f"data.batch_size={value}" for value in values])


@pytest.mark.parametrize(
    "words",
    [
        ["data.root=lines", "model=crnn_fast", "experiment=receipts", "model.lstm.hidden_size=64"],
        ["augment.extra.mine=0.3", "+model.backbone.options.deep=2"],
        ["--cfg", "job"],
        ["hydra.verbose=true", "data.rot=x"],
        ["--config-dir", "mine", "experiment=mine"],
    ],
)
def test_what_is_right_or_hydras_own_is_left_alone(words: list[str]) -> None:
    refuse_wrong(words)


def test_each_experiment_and_network_is_known() -> None:
    for group in ("model", "experiment"):
        names = [path.stem for path in Path(config_folder(), group).glob("*.yaml")]
        assert len(names) > 3
        for name in names:
            refuse_wrong([f"{group}={name}"])


WITHOUT_TORCH = """
import sys
from crnn.cli import main
try:
    main(["train", *sys.argv[1:]])
finally:
    print([name for name in ("torch", "lightning", "torchvision") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data.rot=x"], "there is no setting data.rot"),
        (["trainer.max_epochs=many"], "could not be converted to Integer"),
        (["experiment=receipts", "data.batch_size=0"], "data.batch_size=0: must be above 0"),
        (["image.height=33"], "image.height=33: this backbone needs a multiple of 16"),
        (["image.width=102"], "image.width=102: must be a multiple of 4"),
        (["resume=nowhere"], "resume=nowhere: is not a run folder"),
    ],
)
def test_a_wrong_word_costs_no_loading_of_torch(words: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "[]\n")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_command_says_it_and_no_more(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", "data.rot=my lines"])
    with pytest.raises(SystemExit) as exit_:
        main.main()
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: data.rot=my lines: there is no setting data.rot; did you mean data.root?")
