"""Gradients against torch's own Jacobians, receptive fields against what really reaches a column."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from explain_support import noise, tiny

from crnn.errors import DataError
from crnn.explain.line import trace
from crnn.explain.model import open_model
from crnn.explain.saliency import (
    MAX_COLUMNS,
    centre,
    character_maps,
    influence,
    profile,
    reach,
    receptive_field,
    saliency,
)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_map_is_the_gradient_of_the_log_probability() -> None:
    opened = tiny()
    line = trace(opened, noise(40))
    images = line.images.clone().requires_grad_()
    log_probs = opened.network(images, torch.tensor([40])).log_probs
    [found] = character_maps(opened.network, line.images, [4], [2], generator(), noisy=1, noise=0.0)
    theirs = torch.autograd.grad(log_probs[4, 0, 2], images)[0][0, 0].abs().double().numpy()
    assert np.allclose(found, theirs / theirs.max(), rtol=0, atol=1e-5)


def test_noise_is_averaged() -> None:
    opened = tiny()
    line = trace(opened, noise(40))
    one, two = (character_maps(opened.network, line.images, [4], [2], generator(), n) for n in (1, 30))
    assert one.shape == two.shape == (1, 16, 40)
    assert np.abs(one - two).max() > 0.01
    assert np.array_equal(two, character_maps(opened.network, line.images, [4], [2], generator(), 30))


@pytest.mark.parametrize("part", ["lstm", "cnn", "both"])
def test_influence_is_the_size_of_the_jacobian(part: str) -> None:
    opened = tiny()
    line = trace(opened, noise(32))
    network = opened.network
    given = line.features[None] if part == "lstm" else line.images

    def said(x: torch.Tensor) -> torch.Tensor:
        if part == "lstm":
            return network.lstm(x.transpose(0, 1))[0][5, 0]
        features = network.columns(x, torch.tensor([32])).squeeze(2).permute(2, 0, 1)
        return (features if part == "cnn" else network.lstm(features)[0])[5, 0]

    jacobian = torch.autograd.functional.jacobian(said, given)  # (values, *given.shape)
    exact = jacobian.square().sum((0, 1, 3) if part == "lstm" else (0, 1, 2, 3)).sqrt().numpy()
    found = influence(network, given, [5], part, generator(), vectors=600)
    assert found.shape == (1, len(exact))
    assert found.sum() == pytest.approx(1)
    assert np.abs(found[0] - exact / exact.sum()).max() < 0.1 * found.max()


def test_one_direction_does_not_look_ahead() -> None:
    opened = tiny(bidirectional=False)
    line = trace(opened, noise(40))
    found = influence(opened.network, line.features[None], list(range(10)), "lstm", generator())
    assert np.triu(found, 1).max() == 0
    assert (np.diag(found) > 0).all()


def test_the_cnn_sees_its_field_and_no_more() -> None:
    opened = tiny()
    assert receptive_field(opened.network.backbone) == 10  # 3, pool 4, conv 8, pool 10
    assert receptive_field(open_model().network.backbone) == 26
    seen: set[int] = set()
    for seed in range(6):
        line = trace(opened, noise(60, seed=seed))
        found = influence(opened.network, line.images, [7], "cnn", generator())[0]
        seen |= set(np.flatnonzero(found).tolist())
    assert (min(seen), max(seen)) == (4 * 7 - 3, 4 * 7 + 6)
    assert centre(7, 4) == 30


def test_everything_of_a_line() -> None:
    opened = tiny()
    line = trace(opened, noise())
    found = saliency(opened, line)
    count = len(line.spans)
    assert found.maps.shape == (count, 16, 120)
    assert np.allclose(found.maps.reshape(count, -1).max(1), 1)
    assert all(span.start <= t < span.end for span, t in zip(line.spans, found.columns, strict=True))
    assert (found.at[0], found.at[-1], len(found.at)) == (0, 29, 24)
    for shares, shape in ((found.lstm, (30, 30)), (found.cnn_pixels, (24, 120)), (found.all_pixels, (24, 120))):
        assert shares.shape == shape
        assert np.allclose(shares.sum(1), 1)


def test_profile_and_reach_by_hand() -> None:
    shares = np.array([[0.5, 0.25, 0.25, 0.0], [0.0, 0.0, 0.5, 0.5]])
    distances, mean = profile(shares, [0, 2])
    assert distances.tolist() == [-2, -1, 0, 1, 2, 3]
    assert mean.tolist() == [0, 0, 0.5, 0.375, 0.125, 0]
    assert reach(distances, mean, 0.5) == (0, 1)
    assert reach(distances, mean, 0.9) == (0, 2)
    assert reach(np.arange(-5, 6), np.full(11, 1 / 11), 0.9) == (5, 5)
    assert reach(np.arange(-5, 6), np.eye(11)[5], 0.9) == (0, 0)


def test_lines_that_cannot_be_looked_into() -> None:
    opened = tiny()
    line = trace(opened, noise())
    with pytest.raises(DataError, match="no character to look for"):
        saliency(opened, dataclasses.replace(line, spans=[]))
    with pytest.raises(DataError, match=f"makes {MAX_COLUMNS + 1} columns; at most {MAX_COLUMNS}"):
        saliency(opened, trace(opened, noise(4 * MAX_COLUMNS + 4), "x"))
