"""How strong a frame arrives: path loss and shadowing, remembered for whoever does not move."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from simulators.radio.path_loss import PathLoss, Shadowing, distance_m
from simulators.radio.transmission import Position, Transmission

Place = tuple[str, Position]


class Links:
    """Levels at fixed stations, and at anybody else."""

    def __init__(self, path_loss: PathLoss, shadowing: Shadowing | None) -> None:
        self._path_loss = path_loss
        self._has_link_shadowing = shadowing is not None and not shadowing.is_per_frame
        self._has_frame_shadowing = shadowing is not None and shadowing.is_per_frame
        self._shadowing = shadowing
        self._stations: list[Place] = []
        self._losses: dict[str, tuple[Position, array[float]]] = {}

    def set_stations(self, stations: Sequence[Place]) -> None:
        """From now on levels are told at these, in this order."""
        self._stations = list(stations)
        self._losses.clear()

    def station_levels(self, transmission: Transmission) -> list[float]:
        """Power of a frame in dBm at each station."""
        power_dbm = transmission.power_dbm
        losses = self._station_losses(transmission.sender, transmission.position)
        if not self._has_frame_shadowing:
            return [power_dbm - loss for loss in losses]
        return [
            power_dbm - loss - self._frame_db(transmission, name)
            for loss, (name, _) in zip(losses, self._stations, strict=True)
        ]

    def level(self, transmission: Transmission, station: int | None, receiver: Place) -> float:
        """
        Power of a frame in dBm at one receiver.

        Args:
            station: number of the station that sent it, if it was one.
            receiver: anybody's name and place.
        """
        name, position = receiver
        if station is not None:  # a link is the same in both directions
            loss = self._station_losses(name, position)[station]
        else:
            loss = self._loss(name, position, (transmission.sender, transmission.position))
        level = transmission.power_dbm - loss
        return level - self._frame_db(transmission, name) if self._has_frame_shadowing else level

    def level_at(self, transmission: Transmission, position: Position) -> float:
        """Power of a frame in dBm at a place where nobody in particular is: no shadowing."""
        distance = distance_m(transmission.position, position)
        return transmission.power_dbm - self._path_loss.loss_db(distance)

    def _station_losses(self, name: str, position: Position) -> array[float]:
        known = self._losses.get(name)
        if known is not None and known[0] == position:
            return known[1]
        losses = array("d", [self._loss(name, position, each) for each in self._stations])
        self._losses[name] = (position, losses)
        return losses

    def _loss(self, name: str, position: Position, other: Place) -> float:
        loss = self._path_loss.loss_db(distance_m(position, other[1]))
        if self._has_link_shadowing and self._shadowing is not None:
            loss += self._shadowing.link_db(name, other[0])
        return loss

    def _frame_db(self, transmission: Transmission, receiver: str) -> float:
        assert self._shadowing is not None
        return self._shadowing.frame_db(transmission.sender, receiver, transmission.start_us)
