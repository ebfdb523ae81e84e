"""Look-ups by the value of a fact."""

from __future__ import annotations

from typing import TypeVar, overload

_T = TypeVar("_T")
_D = TypeVar("_D")


def _words(value: object) -> object:
    """Write True and False as in the document; other keys are unchanged."""
    if value is True:
        return "true"
    return "false" if value is False else value


class ByValue(dict[str, _T]):
    """A dict by the values of a fact in words, as in the document; True and False are accepted too.

    Examples
    --------
    >>> import hotfix
    >>> by_value = hotfix.ByValue({"false": "P1", "true": "P0"})
    >>> by_value[True], by_value["true"], True in by_value, by_value.get(False)
    ('P0', 'P0', True, 'P1')
    """

    def __getitem__(self, value: str | bool, /) -> _T:
        """Look up what follows from this value."""
        return super().__getitem__(_words(value))  # type: ignore[index]

    def __contains__(self, value: object, /) -> bool:
        """Return whether something follows from this value."""
        return super().__contains__(_words(value))

    @overload
    def get(self, value: str | bool, default: None = None, /) -> _T | None: ...
    @overload
    def get(self, value: str | bool, default: _T, /) -> _T: ...
    @overload
    def get(self, value: str | bool, default: _D, /) -> _T | _D: ...
    def get(self, value: str | bool, default: object = None, /) -> object:
        """Look up what follows from this value, or give the default."""
        return super().get(_words(value), default)  # type: ignore[call-overload]


ByValue.__module__ = "hotfix"
