"""What is said about a training that reads blanks, begins to read, is stuck, or reads no more."""

from __future__ import annotations

import json

import pytest

from crnn.training.watch import EXPECTED, LATE, Look, Watch

TOO_LATE = round(LATE * EXPECTED)
LABELS = ["abcd", "bdca", "cabd", "dcba"]
BLANKS = ["", "", "", ""]


def looks(
    watch: Watch,
    steps: range,
    readings: list[str] = BLANKS,
    losses: tuple[float, float] = (3.0, 3.0),
    blank: float = 1.0,
) -> list[str]:
    """What is said; the loss goes evenly from the first to the second value."""
    said = []
    for step in steps:
        done = (step - steps.start) / max(1, steps.stop - steps.start)
        loss = losses[0] + (losses[1] - losses[0]) * done
        said.append(watch.look(Look.at(step, loss, blank, readings, LABELS)))
    return [message for message in said if message]


def test_blanks_are_called_normal_once_and_the_first_characters_have_a_step() -> None:
    watch = Watch(total=5000)
    [plateau] = looks(watch, range(20, 401, 20), losses=(4.0, 3.0))
    assert plateau.startswith("step 60: reads blanks only (100.0% of the time steps) so far, which is normal for CTC")
    assert f"first characters usually come between step 300 and {EXPECTED:,}, and until then a falling loss" in plateau
    assert "max_epochs" not in plateau
    [first] = looks(watch, range(420, 601, 20), ["ab", "bd", "ca", "dc"], blank=0.9)
    assert (
        first == "step 440: reads its first characters (CER of the latest training lines 67%)"
    )  # half, in two of three
    assert looks(watch, range(620, 5001, 100), LABELS, blank=0.5) == []
    assert watch.ended(5000) is None


def test_a_short_training_is_told_before_and_after() -> None:
    watch = Watch(total=300)
    [plateau] = looks(watch, range(20, 301, 20))
    assert "this training has 300 steps in all: if it ends before, raise trainer.max_epochs" in plateau
    tiny = Watch(total=30)
    tiny.validated(30, 0.4)
    assert tiny.ended(30) is None  # it began with a model that reads
    tiny.validated(30, 1.0)
    assert "after 30 steps, before it read" in str(tiny.ended(30))
    watch.validated(300, 0.9)
    assert watch.ended(300) is None  # it reads some already
    watch.validated(300, 0.96)
    ended = watch.ended(300)
    assert ended is not None
    assert ended.startswith(
        "the training ended after 300 steps, before it read its first characters: that usually takes 300 to 1,000 steps"
    )


@pytest.mark.parametrize(("readings", "blank"), [(BLANKS, 1.0), (["abd"] * 4, 0.7), (["c", "ab", "cd", "ba"], 0.8)])
def test_stuck_where_the_loss_has_stopped_falling(readings: list[str], blank: float) -> None:
    watch = Watch(total=5000, lr=0.002, lines="my lines")
    looks(watch, range(20, TOO_LATE, 20), readings, (3.0, 2.99), blank)
    assert watch.state == "blank"
    [stuck] = looks(watch, range(TOO_LATE, 4000, 20), readings, (2.99, 2.99), blank)
    assert stuck.startswith(f"step {TOO_LATE:,}: stuck: reads ")
    assert ("the same text 'abd' in every line" in stuck) == (readings[0] == "abd")
    assert ("blanks only" in stuck) == (blank == 1.0)
    assert "shuffled" in stuck
    assert "crnn check 'my lines' --html" in stuck
    assert "optimizer.lr=0.0005 (now 0.002)" in stuck
    assert watch.ended(4000) is None  # it has been said
    [first] = looks(watch, range(4000, 4200, 20), LABELS)
    assert "reads its first characters" in first


def test_rendered_lines_need_no_check() -> None:
    watch = Watch(total=5000)
    looks(watch, range(20, TOO_LATE, 20))
    [stuck] = looks(watch, range(TOO_LATE, 4000, 20))
    assert "crnn check" not in stuck
    assert "shuffled" not in stuck


def test_a_falling_loss_is_given_time_but_not_for_ever() -> None:
    watch = Watch(total=5000)
    said = looks(watch, range(20, 5001, 20), losses=(10.0, 1.0))
    assert [message.split(":")[0] for message in said] == ["step 60", f"step {2 * TOO_LATE:,}"]
    assert "stuck" in said[1]


def test_a_long_warm_up_delays_the_verdict() -> None:
    watch = Watch(total=20000, warmup=2000)
    said = looks(watch, range(20, 5001, 20))
    assert [message.split(":")[0] for message in said] == ["step 60", f"step {2 * TOO_LATE:,}"]
    assert "between step 600 and 2,000" in said[0]


def test_frequent_letters_are_no_reading() -> None:
    """The same 'ab' suits half of each label, and other labels as well."""
    watch = Watch(total=5000)
    labels = ["abab", "abba", "baab", "baba"]
    for step in range(20, 200, 20):
        watch.look(Look.at(step, 3.0, 0.5, ["ab", "ab", "ab", "ab"], labels))
    assert watch.cer <= 0.6
    assert watch.state == "blank"


@pytest.mark.parametrize("labels", [["ab"], ["ab", "ab", "ab"]])
def test_batches_without_another_label(labels: list[str]) -> None:
    watch = Watch(total=5000)
    for step in range(20, 100, 20):
        watch.look(Look.at(step, 3.0, 0.5, labels, labels))
    assert watch.state == "reading"
    assert Look.at(20, 3.0, 0.5, ["x" for _ in labels], labels).text is None


def test_a_model_that_reads_from_the_start_is_left_alone_until_it_fails() -> None:
    watch = Watch(total=5000, lr=0.002)
    assert looks(watch, range(20, 501, 20), LABELS) == []
    assert watch.every == 100
    [lost] = looks(watch, range(600, 1500, 100), BLANKS)
    assert lost.startswith("step 800: reads nothing any more, though it did from step 60 on: a lower optimizer.lr")
    [again] = looks(watch, range(1500, 2000, 20), LABELS)
    assert "reads again" in again
    assert looks(watch, range(2000, 2500, 100), BLANKS) == []  # once is enough


def test_validation_lines_that_stay_unread() -> None:
    watch = Watch(total=5000)
    assert watch.validated(10, 1.0) is None  # nothing is read yet
    looks(watch, range(20, 200, 20), LABELS)
    assert watch.validated(200, 0.5) is None
    message = watch.validated(400, 0.97)
    assert message is not None
    assert "reads training lines (CER 0%), but not validation lines (97%)" in message
    assert watch.validated(600, 0.97) is None


def test_a_resumed_training_says_nothing_twice() -> None:
    first, second = Watch(total=5000), Watch(total=5000)
    assert len(looks(first, range(20, 101, 20))) == 1
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert looks(second, range(120, 301, 20)) == []
    [message] = looks(second, range(320, 501, 20), LABELS)
    assert "first characters" in message
