"""What a machine needs that reads and serves but does not train: ``python scripts/slim_requirements.py``.

Prints the dependencies of pyproject.toml, and those of its extra ``serve``, without torch and what only training,
export and drawing use. `scripts/Dockerfile` installs these, and crnn itself with ``pip install --no-deps``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomllib

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ONLY_FOR_TRAINING = ("torch", "torchvision", "lightning", "hydra-core", "onnx", "matplotlib", "tensorboardX")
EXTRAS = ("serve",)


def name_of(requirement: str) -> str:
    """The package's name: ``numpy`` of ``numpy>=1.26``."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0]


def slim_requirements(project: dict[str, Any]) -> list[str]:
    """Requirements, one each, of the ``[project]`` table."""
    extras = project.get("optional-dependencies", {})
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in extras.get(extra, []))]
    unknown = set(ONLY_FOR_TRAINING) - {name_of(one) for one in project["dependencies"]}
    assert not unknown, f"no dependencies any more: {sorted(unknown)}"
    return [one for one in wanted if name_of(one) not in ONLY_FOR_TRAINING]


if __name__ == "__main__":
    print("\n".join(slim_requirements(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"])))
