"""A sequence that only ever grows, of which every earlier state stays what it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Log(Sequence[T], Generic[T]):
    """The first `n` items of a list that later states share: one more item costs the same however long it is.

    >>> shorter = Log([1]); longer = shorter.plus([2])
    >>> list(shorter), list(longer)
    ([1], [1, 2])
    """

    __slots__ = ("_items", "_n")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._n = len(self._items)

    def plus(self, items: Iterable[T]) -> Log[T]:
        """With more items at its end; copied only where another state went on from here already."""
        longer: Log[T] = Log()
        longer._items = self._items if len(self._items) == self._n else self._items[: self._n]
        longer._items.extend(items)
        longer._n = len(longer._items)
        return longer

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._items[i] for i in range(*index.indices(self._n))]
        if not -self._n <= index < self._n:
            raise IndexError(f"item {index} of {self._n}")
        return self._items[index % self._n]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(other) == self._n and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Log({list(self)!r})"
