"""The states of texts, as CTC counts them."""

from __future__ import annotations

from crnn.core.decode.states import states_of


def test_blanks_between_and_behind() -> None:
    states = states_of([[3, 3, 5], [7], []])
    assert states.sizes.tolist() == [3, 1, 0]
    assert states.classes.tolist() == [[0, 3, 0, 3, 0, 5, 0], [0, 7, 0, 0, 0, 0, 0], [0] * 7]
    assert states.skippable[0].tolist() == [False, False, False, False, False, True, False]  # 3 3 needs its blank
    assert not states.skippable[:, ::2].any()  # a blank is never reached past a symbol
    assert not states.skippable[2].any()


def test_no_text_at_all() -> None:
    states = states_of([])
    assert states.classes.shape == states.skippable.shape == (0, 1)
    assert states_of([[]]).classes.tolist() == [[0]]
