"""
The shared medium on a clock: frames in, and at the end of each what every receiver made of it.

Gateways are stations and hear uplinks; nodes open windows and hear downlinks. One event per frame
and one per window; no process. The same rules over arrays: ``vectorised``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import simpy

from simulators.clock import Clock
from simulators.lorawan.modulation import Modulation
from simulators.radio.interference import INTERFERENCE_MODELS, InterferenceModel, Judge
from simulators.radio.links import Links
from simulators.radio.on_air import Band, OnAir, Tuning, tuning
from simulators.radio.path_loss import PathLoss, Shadowing
from simulators.radio.sensitivity import SENSITIVITIES, Sensitivity, snr_db
from simulators.radio.station import DEMODULATORS, Listens, Loss, Receiver, Station
from simulators.radio.transmission import Position, Reception, Transmission

FOREVER_US = 1 << 50  # a window that closes then, or later, does not close
BUSY_DBM = -80.0  # Japan's limit (AS923); Korea's is -65 dBm


class MediumObserver(Protocol):
    """Whoever explains a run: everything that is sent, and what becomes of it where."""

    def transmitted(self, transmission: Transmission) -> None:
        """A frame starts."""

    def heard(self, receiver: str, reception: Reception) -> None:
        """A gateway or node received a frame."""

    def lost(self, receiver: str, transmission: Transmission, reason: str) -> None:
        """
        It did not: ``reason`` is a Loss.

        Told of every gateway; of nodes that had a window with the frame's frequency and modulation
        while it was on air, or still before them.
        """


class Listener(Protocol):
    """A node's receiver."""

    @property
    def name(self) -> str: ...
    @property
    def sensitivity(self) -> Sensitivity: ...
    def position(self, at_us: int) -> Position:
        """Where it is."""


class Window:
    """A time in which a node listens."""

    __slots__ = ("caught", "close_us", "event", "is_over", "listener", "open_us", "tuning")

    def __init__(
        self, listener: Listener, at: Tuning, open_us: int, close_us: int, event: simpy.Event
    ) -> None:
        self.listener = listener
        self.tuning = at
        self.open_us = open_us
        self.close_us = close_us
        self.event = event  # value: a Reception or None
        self.caught: OnAir | None = None
        self.is_over = False


class Medium:
    """One stretch of air, with everybody in it."""

    def __init__(
        self,
        clock: Clock,
        *,
        path_loss: PathLoss,
        interference: InterferenceModel = INTERFERENCE_MODELS["goursaud"],
        shadowing: Shadowing | None = None,
        observer: MediumObserver | None = None,
    ) -> None:
        self._clock = clock
        self.path_loss = path_loss
        self.interference = interference
        self._judge = Judge(interference)
        self._links = Links(path_loss, shadowing)
        self.observer = observer
        self._stations: list[Station] = []
        self._numbers: dict[str, int] = {}
        self._bands: dict[int, Band] = {}
        self._windows: dict[Tuning, dict[Window, None]] = {}
        # What tuned nodes could not make use of: reasons, until the frame ends.
        self._missed: dict[OnAir, list[tuple[str, Loss]]] = {}

    def attach(
        self,
        receiver: Receiver,
        *,
        listens: Listens | None = None,
        sensitivity: Sensitivity = SENSITIVITIES["sx1301"],
        demodulators: int = DEMODULATORS,
    ) -> None:
        """
        A gateway begins to hear; attached again, it starts anew with other settings.

        Args:
            listens: whether a frequency and modulation is one of its channels; without it, all are.
            demodulators: for LoRa at 125 kHz; wider channels and FSK have one each.
        """
        station = Station(
            receiver,
            self._judge,
            listens=listens,
            sensitivity=sensitivity,
            demodulators=demodulators,
        )
        number = self._numbers.get(receiver.name)
        if number is None:
            self._numbers[receiver.name] = len(self._stations)
            self._stations.append(station)
        else:
            self._stations[number] = station
        places = [(each.receiver.name, each.receiver.position) for each in self._stations]
        self._links.set_stations(places)
        for frame in self._on_air():
            frame.levels_dbm = self._links.station_levels(frame.transmission)

    def detach(self, name: str) -> None:
        """
        A gateway hears nothing any more.

        Raises:
            KeyError: no such gateway.
        """
        self._stations[self._numbers[name]].is_on = False

    def transmit(self, transmission: Transmission) -> None:
        """
        A frame starts now; what becomes of it is told at its end.

        Raises:
            ValueError: it does not start now, or does not last.
        """
        now_us = self._clock.now_us()
        if transmission.start_us != now_us or transmission.end_us <= now_us:
            span = f"{transmission.start_us} to {transmission.end_us} µs"
            raise ValueError(f"expected a frame that starts at {now_us} µs and lasts; got {span}")
        frame = OnAir(transmission, self._judge.free_symbols)
        frame.levels_dbm = levels_dbm = self._links.station_levels(transmission)
        band = self._bands.get(transmission.frequency_hz)
        if band is None:
            band = self._bands[transmission.frequency_hz] = Band()
        if transmission.is_downlink:
            self._send(frame)
        else:
            for station, level_dbm in zip(self._stations, levels_dbm, strict=True):
                station.notice(frame, level_dbm)
        band.add(frame)
        if self.observer is not None:
            self.observer.transmitted(transmission)
        end = self._clock.timeout(frame.end_us - now_us, frame)
        end.callbacks.append(self._ended)

    def listen(
        self,
        listener: Listener,
        *,
        frequency_hz: int,
        modulation: Modulation,
        open_us: int,
        close_us: int,
    ) -> Window:
        """
        A node opens a window, now or later.

        A frame counts as caught when five symbols of its preamble lie within the window, and is
        received to its end. The window's event has the Reception at that time, or None at
        ``close_us``; None, too, at the end of a caught frame that was disturbed, if the window has
        closed by then. ``close_us`` of FOREVER_US or more never comes.

        Raises:
            ValueError: it closes before it opens, or before now.
        """
        now_us = self._clock.now_us()
        open_us = max(open_us, now_us)
        if close_us < open_us:
            raise ValueError(f"expected a window after {open_us} µs; got one until {close_us} µs")
        at = tuning(frequency_hz, modulation)
        window = Window(listener, at, open_us, close_us, simpy.Event(self._clock))
        self._windows.setdefault(at, {})[window] = None
        band = self._bands.get(frequency_hz)
        if band is not None:
            for frame in band.frames:
                if frame.tuning == at and not frame.is_over and frame.transmission.is_downlink:
                    self._offer(frame, window)
        if close_us < FOREVER_US:
            close = self._clock.timeout(close_us - now_us, window)
            close.callbacks.append(self._closed)
        return window

    def cancel(self, window: Window) -> None:
        """Close a window at once; its event never happens."""
        if not window.is_over:
            window.is_over = True
            del self._windows[window.tuning][window]

    def is_busy(
        self,
        position: Position,
        frequency_hz: int,
        *,
        for_us: int = 0,
        threshold_dbm: float = BUSY_DBM,
        except_from: str = "",
    ) -> bool:
        """
        Whether somebody has been on air, for those who listen before they talk.

        Args:
            for_us: how long it was listened until now, 10 ms at most.
            except_from: whose frames do not count: the one who asks.
        """
        band = self._bands.get(frequency_hz)
        if band is None:
            return False
        since_us = self._clock.now_us() - for_us
        return any(
            frame.end_us > since_us
            and frame.transmission.sender != except_from
            and self._links.level_at(frame.transmission, position) >= threshold_dbm
            for frame in band.frames
        )

    def _on_air(self) -> list[OnAir]:
        return [
            frame for band in self._bands.values() for frame in band.frames if not frame.is_over
        ]

    def _send(self, frame: OnAir) -> None:
        frame.station = number = self._numbers.get(frame.transmission.sender)
        if number is not None:
            self._stations[number].send(frame.start_us, frame.end_us)
        for window in self._windows.get(frame.tuning, ()):
            self._offer(frame, window)

    def _offer(self, frame: OnAir, window: Window) -> None:
        """A node is tuned to a frame: does it stay with it?"""
        if window.caught is not None:
            self._miss(frame, window.listener.name, Loss.NO_DEMODULATOR)
            return
        if not frame.is_caught(window.open_us, window.close_us):
            self._miss(frame, window.listener.name, Loss.WINDOW_MISSED)
            return
        sensitivity = window.listener.sensitivity
        if self._level(frame, window.listener) < sensitivity.dbm(frame.transmission.modulation):
            self._miss(frame, window.listener.name, Loss.TOO_WEAK)
            return
        window.caught = frame

    def _miss(self, frame: OnAir, name: str, reason: Loss) -> None:
        if self.observer is not None:
            self._missed.setdefault(frame, []).append((name, reason))

    def _level(self, frame: OnAir, listener: Listener) -> float:
        place = (listener.name, listener.position(frame.start_us))
        return self._links.level(frame.transmission, frame.station, place)

    def _ended(self, event: Any) -> None:
        frame: OnAir = event.value
        frame.is_over = True
        others = self._bands[frame.transmission.frequency_hz].overlapping(frame)
        if frame.transmission.is_downlink:
            self._deliver_downlink(frame, others)
        else:
            self._deliver_uplink(frame, others)

    def _deliver_uplink(self, frame: OnAir, others: list[OnAir]) -> None:
        transmission, observer = frame.transmission, self.observer
        stations = list(self._stations)  # what a gateway does about it may attach another one
        for number, station in enumerate(stations):
            level_dbm = frame.levels_dbm[number]
            disturbing = [(each, each.levels_dbm[number]) for each in others]
            loss = station.outcome(frame, level_dbm, disturbing)
            if loss is None:
                snr = snr_db(level_dbm, transmission.modulation)
                reception = Reception(transmission, level_dbm, snr)
                if observer is not None:
                    observer.heard(station.receiver.name, reception)
                station.receiver.heard(reception)
            else:
                if observer is not None:
                    observer.lost(station.receiver.name, transmission, loss)
                station.receiver.lost(transmission, loss)

    def _deliver_downlink(self, frame: OnAir, others: Sequence[OnAir]) -> None:
        transmission, observer = frame.transmission, self.observer
        for name, reason in self._missed.pop(frame, ()):
            if observer is not None:
                observer.lost(name, transmission, reason)
        for window in [w for w in self._windows.get(frame.tuning, ()) if w.caught is frame]:
            if window.is_over:  # by what another node did about the same frame
                continue
            level_dbm = self._level(frame, window.listener)
            if others and not self._survives(frame, level_dbm, others, window.listener):
                if observer is not None:
                    observer.lost(window.listener.name, transmission, Loss.COLLISION)
                self._go_on(window)
                continue
            reception = Reception(
                transmission, level_dbm, snr_db(level_dbm, transmission.modulation)
            )
            if observer is not None:
                observer.heard(window.listener.name, reception)
            self._finish(window, reception)

    def _survives(
        self, frame: OnAir, level_dbm: float, others: Sequence[OnAir], listener: Listener
    ) -> bool:
        disturbing = [(each, self._level(each, listener)) for each in others]
        if not self.interference.counts_unheard:
            dbm = listener.sensitivity.dbm
            disturbing = [
                (each, level)
                for each, level in disturbing
                if level >= dbm(each.transmission.modulation)
            ]
        return self._judge.survives(frame, level_dbm, disturbing)

    def _go_on(self, window: Window) -> None:
        """The caught frame was disturbed: listen on, if there is time left."""
        window.caught = None
        if window.close_us <= self._clock.now_us():
            self._finish(window, None)

    def _closed(self, event: Any) -> None:
        window: Window = event.value
        if not window.is_over and window.caught is None:
            self._finish(window, None)

    def _finish(self, window: Window, value: Any) -> None:
        self.cancel(window)
        self._clock.succeed(window.event, value)
