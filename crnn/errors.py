"""Every error that a user can cause, in one family.

Each message says where, what, what is allowed and what to do next; the command line prints it without a traceback.
"""

import errno
from typing import TypeVar

_Error = TypeVar("_Error", bound="CrnnError")


def printable(name: object, limit: int = 200) -> str:
    """A name as one line of text: control characters and undecodable bytes escaped, cut at `limit`."""
    name = str(name)
    if len(name) <= limit and name.isprintable():
        return name
    raw = name.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in raw)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class CrnnError(Exception):
    """Something the user can put right; the message says how."""

    def alone(self: _Error) -> _Error:
        """Itself without traceback and cause, which keep alive what was at hand, such as a picture and its open file.

        For an error that is stored, not raised on.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self


class ConfigError(CrnnError):
    """A setting that is unknown, out of range, or at odds with another one."""


class PluginError(ConfigError):
    """A part (format, backbone, decoder, augmentation, export) that nobody has, or an installed one that is broken."""


class DataError(CrnnError):
    """A picture, label or data set that cannot be used."""


class CharsetError(CrnnError):
    """Text and characters that do not go together."""


class ModelFileError(CrnnError):
    """A model file that is damaged, foreign, or written by a newer version."""


class CrnnWarning(UserWarning):
    """Something was left out or is doubtful, and the work goes on; commands say it in one line on standard error."""


def unwritten(place: object, error: OSError) -> str:
    """Of a file or folder that cannot be written: why, and what to do about it."""
    remedies = {
        **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "; make room, or name another place"),
        **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "; name a place in which you may write"),
        **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "; name a file in a folder that is there"),
    }
    reason = printable(" ".join((error.strerror or str(error)).split()))
    return f"{printable(place)}: cannot be written ({reason}){remedies.get(error.errno or 0, '')}"
