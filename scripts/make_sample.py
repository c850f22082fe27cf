"""Write data/sample: 60 lines rendered by this project, 40 to train and 20 to validate, in the bundled fonts.

``python scripts/make_sample.py`` makes the same files again.
"""

from pathlib import Path

from crnn.data.synth.source import synthetic_pair

FOLDER = Path(__file__).parents[1] / "data" / "sample"


def main() -> None:
    pair = synthetic_pair(lines=40, val_lines=20, seed=7, fonts="bundled", max_length=24)
    for name, source in zip(("train", "val"), pair, strict=True):
        (FOLDER / name / "images").mkdir(parents=True, exist_ok=True)
        rows = []
        for position in range(len(source)):
            picture = f"images/{position + 1:04d}.png"
            source.picture(position).save(FOLDER / name / picture, optimize=True)
            rows.append(f"{picture}\t{source.entry(position).text}\n")
        (FOLDER / name / "labels.tsv").write_text("".join(rows), encoding="utf-8", newline="\n")
        print(f"{FOLDER.name}/{name}: {len(source)} lines")


if __name__ == "__main__":
    main()
