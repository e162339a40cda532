"""
The medium's rules over arrays: which of millions of uplinks are received, by which gateway.

No MAC, no downlinks, so no half duplex either; all uplinks are LoRa at 125 kHz where the number of
demodulators matters. For the same frames the medium comes to the same result.

Frames are sorted by channel, spreading factor where that suffices, and start. Then each frame is
held against its next neighbour, those that still overlap against the one after it, and so on: as
many rounds as frames lie on top of each other, each over arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.radio.interference import CODES, InterferenceModel
from simulators.radio.transmission import LORA_PREAMBLE_SYMBOLS

Integers = NDArray[np.int64]
Decibels = NDArray[np.float64]
Flags = NDArray[np.bool_]
UNDECIDED = -1  # of a demodulator; 0: none was free, 1: it has one

KEY_BITS = 63
NO_END = np.iinfo(np.int64).max


class Kinds(NamedTuple):
    """What does not change from frame to frame of a sender: arrays over senders."""

    code: Integers  # spreading factor
    airtime_us: Integers
    symbol_us: Integers
    least_dbm: Decibels  # the gateways' sensitivity for it


class Uplinks(NamedTuple):
    """Frames in any order: arrays over frames; ``levels_dbm`` has a row for each gateway."""

    start_us: Integers
    channel: NDArray[Any]
    sender: NDArray[Any]
    levels_dbm: Decibels


class Resolved(NamedTuple):
    """Frames of a window; ``received`` (gateways by frames) holds for those that are final."""

    uplinks: Uplinks
    received: Flags
    is_final: Flags

    @property
    def sent(self) -> int:
        """How many frames are final."""
        return int(np.count_nonzero(self.is_final))

    @property
    def delivered(self) -> int:
        """How many of them at least one gateway received."""
        has_it = self.received[0] if len(self.received) == 1 else self.received.any(axis=0)
        return int(np.count_nonzero(has_it & self.is_final))


class _Window:
    """Frames with what follows from them."""

    def __init__(self, uplinks: Uplinks, kinds: Kinds) -> None:
        self.uplinks = uplinks
        self.kinds = kinds
        self.start_us = uplinks.start_us
        self.airtime_us = kinds.airtime_us.take(uplinks.sender)
        self.end_us = uplinks.start_us + self.airtime_us
        self.heard: Flags = uplinks.levels_dbm >= kinds.least_dbm.take(uplinks.sender)

    def code(self, rows: Integers) -> Integers:
        """Spreading factors."""
        return self.kinds.code.take(self.uplinks.sender[rows])

    def symbols_us(self, count: int, rows: Integers) -> Integers:
        """How long so many symbols last."""
        return count * self.kinds.symbol_us.take(self.uplinks.sender[rows])


class Stream:
    """
    Windows of uplinks, one after the other, without an edge between them.

    A frame that outlasts its window becomes final with the next one, against everything that it
    meets there and has met before.
    """

    def __init__(
        self, kinds: Kinds, model: InterferenceModel, *, demodulators: int | None = None
    ) -> None:
        """
        Args:
            demodulators: of each gateway; None: as many as it takes.
        """
        self._kinds = kinds
        self._model = model
        self._demodulators = demodulators
        self._kept: Uplinks | None = None
        self._is_counted: Flags = np.zeros(0, np.bool_)  # of what was kept: final already
        self._fates: NDArray[np.int8] = np.zeros((0, 0), np.int8)

    def resolve(self, uplinks: Uplinks, until_us: int | None = None) -> Resolved:
        """
        All frames that start before ``until_us`` and did not come before; None: no more will come.
        """
        if self._kept is not None:
            uplinks = _joined(self._kept, uplinks)
        window = _Window(uplinks, self._kinds)
        received = _survivors(window, self._model)
        received &= window.heard
        border_us = NO_END if until_us is None else until_us
        if self._demodulators is not None:
            self._fates = self._allocated(window, border_us, self._demodulators)
            received &= self._fates == 1
        is_over = window.end_us <= border_us
        is_final = is_over.copy()
        is_final[: len(self._is_counted)] &= ~self._is_counted
        self._keep(window, is_over)
        return Resolved(uplinks, received, is_final)

    def _keep(self, window: _Window, is_over: Flags) -> None:
        """What is not over, and what that has met."""
        going_on = np.flatnonzero(~is_over)
        first_us = window.start_us[going_on].min() if len(going_on) else NO_END
        rows = np.flatnonzero(window.end_us > first_us)
        self._kept = _taken(window.uplinks, rows) if len(rows) else None
        self._is_counted = is_over[rows]
        self._fates = self._fates[:, rows] if self._demodulators is not None else self._fates

    def _allocated(self, window: _Window, border_us: int, demodulators: int) -> NDArray[np.int8]:
        """Fates at each gateway, of all frames whose preambles end before ``border_us``."""
        fates = np.full(window.heard.shape, UNDECIDED, np.int8)
        kept = len(self._is_counted)
        fates[: len(self._fates), :kept] = self._fates
        everybody = np.arange(len(window.start_us))
        locks = window.start_us + window.symbols_us(LORA_PREAMBLE_SYMBOLS, everybody)
        is_due = window.heard & (fates == UNDECIDED) & (locks < border_us)
        for gateway, fate in enumerate(fates):
            rows = np.flatnonzero(is_due[gateway])
            rows = rows[np.lexsort((window.start_us[rows], locks[rows]))]
            busy = window.end_us[fate == 1]
            fate[rows] = _granted(locks[rows], window.end_us[rows], busy, demodulators)
        return fates


def _granted(
    locks: Integers, ends: Integers, busy: Integers, demodulators: int
) -> NDArray[np.int8]:
    """For frames in order of their locks: 1 where a demodulator was free, else 0."""
    granted = np.ones(len(locks), np.int8)
    # Counted as if everybody got one: where there are enough even so, nobody is refused.
    over = np.searchsorted(np.sort(np.concatenate((ends, busy))), locks, side="right")
    at_once = len(busy) + np.arange(1, len(locks) + 1) - over
    if not len(at_once) or at_once.max() <= demodulators:
        return granted
    queue = sorted(busy.tolist())  # a sorted list is a heap, too
    for number, (lock_us, end_us) in enumerate(zip(locks.tolist(), ends.tolist(), strict=True)):
        while queue and queue[0] <= lock_us:
            heappop(queue)
        if len(queue) < demodulators:
            heappush(queue, end_us)
        else:
            granted[number] = 0
    return granted


def _survivors(window: _Window, model: InterferenceModel) -> Flags:
    """Which frames no other one destroys, by gateway."""
    if model.is_accumulated:
        return _survivors_by_energy(window, model)
    survives = np.ones(window.heard.shape, np.bool_)
    thresholds_db = np.array(model.threshold_table())
    for wanted, other in _disturbances(window, model):
        limit_db = thresholds_db[window.code(wanted), window.code(other)]
        for gateway, levels_dbm in enumerate(window.uplinks.levels_dbm):
            is_lost = levels_dbm[wanted] - levels_dbm[other] < limit_db
            if not model.counts_unheard:
                is_lost &= window.heard[gateway, other]
            survives[gateway, wanted[is_lost]] = False
    return survives


def _survivors_by_energy(window: _Window, model: InterferenceModel) -> Flags:
    start, end, levels_dbm = window.start_us, window.end_us, window.uplinks.levels_dbm
    used = np.unique(window.kinds.code)
    place = np.searchsorted(used, np.arange(CODES))
    energies = np.zeros((len(used), *levels_dbm.shape))  # of interferers by code, mW us
    for wanted, other in _disturbances(window, model):
        overlap = np.minimum(end[wanted], end[other]) - np.maximum(start[wanted], start[other])
        code = place[window.code(other)]
        for gateway in range(len(levels_dbm)):
            energy = 10.0 ** (levels_dbm[gateway, other] / 10.0) * overlap
            if not model.counts_unheard:
                energy *= window.heard[gateway, other]
            # Within one round a frame is wanted once: no addition gets lost.
            energies[code, gateway, wanted] += energy
    return _enough(window, model, used, energies)


def _enough(window: _Window, model: InterferenceModel, used: Integers, energies: Decibels) -> Flags:
    """Where a frame's own energy is far enough above that of each spreading factor."""
    survives = np.ones(window.heard.shape, np.bool_)
    ratios = 10.0 ** (np.array(model.threshold_table()) / 10.0)
    touched = np.flatnonzero(energies.any(axis=(0, 1)))
    own = 10.0 ** (window.uplinks.levels_dbm[:, touched] / 10.0) * window.airtime_us[touched]
    limits = ratios[window.code(touched)][:, used].T  # by interferer's code and frame
    needed = limits[:, np.newaxis, :] * energies[:, :, touched]
    survives[:, touched] = (own >= needed).all(axis=0)
    return survives


def _disturbances(window: _Window, model: InterferenceModel) -> Iterator[tuple[Integers, Integers]]:
    """Wanted frames and their interferers, where the timing rule does not spare them."""
    free = model.free_symbols
    for earlier, later in _overlaps(window, model):
        if not free:
            yield earlier, later
            yield later, earlier
            continue
        critical_us = window.start_us[earlier] + window.symbols_us(free, earlier)
        hurts_earlier = window.end_us[later] > critical_us
        critical_us = window.start_us[later] + window.symbols_us(free, later)
        hurts_later = window.end_us[earlier] > critical_us
        if model.is_mutual:
            hurts_earlier = hurts_later = hurts_earlier & hurts_later
        yield earlier[hurts_earlier], later[hurts_earlier]
        yield later[hurts_later], earlier[hurts_later]


def _overlaps(window: _Window, model: InterferenceModel) -> Iterator[tuple[Integers, Integers]]:
    """Frames that overlap on one channel, the one that starts first and the other, in rounds."""
    group = window.uplinks.channel.astype(np.int64)
    if model.is_orthogonal:
        group *= CODES
        group += window.kinds.code.take(window.uplinks.sender)
    count = len(group)
    if count < 2:
        return
    order, starts = _in_order(group, window)
    reach = starts + window.airtime_us.take(order)
    first = np.flatnonzero(starts[1:] < reach[:-1])
    lag = 1
    while len(first):
        yield order[first], order[first + lag]
        lag += 1
        first = first[first + lag < count]
        # Starts ascend: whoever has not met its neighbour will not meet the one after it.
        first = first[starts[first + lag] < reach[first]]


def _in_order(group: Integers, window: _Window) -> tuple[Integers, Integers]:
    """
    Rows by group and start, and starts that tell groups apart by more than any frame lasts.

    Group, start and row are packed into one integer, as sorting integers is much faster than
    sorting places; where they do not fit, places are sorted.
    """
    begin_us = int(window.start_us.min())
    time_bits = (int(window.end_us.max()) - begin_us + 1).bit_length()
    row_bits = (len(group) - 1).bit_length()
    group_bits = int(group.max()).bit_length()
    key = group
    key <<= time_bits
    key += window.start_us
    key -= begin_us
    if group_bits + time_bits + row_bits > KEY_BITS:
        order = np.argsort(key, kind="stable")
        return order, key[order]
    key <<= row_bits
    key |= np.arange(len(key))
    key.sort()
    order = key & ((1 << row_bits) - 1)
    key >>= row_bits
    return order, key


def _joined(one: Uplinks, other: Uplinks) -> Uplinks:
    return Uplinks(
        np.concatenate((one.start_us, other.start_us)),
        np.concatenate((one.channel, other.channel)),
        np.concatenate((one.sender, other.sender)),
        np.concatenate((one.levels_dbm, other.levels_dbm), axis=1),
    )


def _taken(uplinks: Uplinks, rows: Integers) -> Uplinks:
    return Uplinks(
        uplinks.start_us[rows],
        uplinks.channel[rows],
        uplinks.sender[rows],
        uplinks.levels_dbm[:, rows],
    )
