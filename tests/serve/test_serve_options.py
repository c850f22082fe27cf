"""Options of `crnn serve` that are refused, by the names that the user typed."""

from __future__ import annotations

import pytest

from crnn.cli import main
from crnn.errors import ConfigError
from crnn.serve.command import _pictures


@pytest.mark.parametrize("option", ["--max-mb", "--max-megapixels", "--timeout", "--grace"])
@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1"])
def test_numbers_above_0(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", option, value])
    assert ended.value.code == 2
    assert f"argument {option}: {value} is not a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--queue", "--max-pictures"])
def test_whole_numbers_from_1(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", option, "0"])
    assert f"argument {option}: 0 is not 1 or more" in capsys.readouterr().err


def test_pictures_of_a_request_fit_into_the_queue() -> None:
    assert (_pictures(None, 512), _pictures(None, 5), _pictures(5, 5)) == (256, 5, 5)
    with pytest.raises(ConfigError, match="--max-pictures 6 never fit into --queue 5"):
        _pictures(6, 5)


@pytest.mark.parametrize(("option", "trim"), [((), None), (("--trim",), True), (("--no-trim",), False)])
def test_options_of_reading_reach_the_models(
    option: tuple[str, ...], trim: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def shelf(specs: object, on_batch: object, **options: object) -> None:
        asked.update(options)
        raise ConfigError("enough")

    monkeypatch.setattr("crnn.serve.shelf.Shelf", shelf)
    assert main(["serve", "--port", "0", "--threads", "3", "--batch-size", "5", *option]) == 2
    assert asked == {"threads": 3, "device": None, "precision": "float32", "batch_size": 5, "trim": trim}
