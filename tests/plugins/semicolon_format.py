"""A format of lines: `lines.list` with ``picture;text``, beside the pictures."""

from crnn.data.sources.base import Reader, Row


class SemicolonReader(Reader):
    description = "lines.list with picture;text"
    matches = staticmethod(lambda place: (place.path / "lines.list").is_file())

    def parts(self):
        yield self.path / "lines.list"

    def rows(self):
        for number, line in enumerate((self.path / "lines.list").read_text("utf-8").splitlines(), 1):
            yield Row(line.split(";", 1)[1], f"lines.list:{number}", line.split(";", 1)[0])

    def content(self, key):
        return self.path / key
