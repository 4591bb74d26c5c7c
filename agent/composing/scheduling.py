"""The rules of fires, as scheduler and jobs share them."""

from __future__ import annotations

from dataclasses import dataclass

from agent.composing.ground import Ground
from agent.core.scheduling.brake import Brake
from agent.core.scheduling.firing import Firing
from agent.core.scheduling.pace import Pace


@dataclass(frozen=True, slots=True)
class Scheduling:
    pace: Pace
    firing: Firing
    brake: Brake


def make_scheduling(ground: Ground) -> Scheduling:
    pace = Pace(ground.clock, ground.settings.catch_up_rate)
    firing = Firing(ground.clock, ground.ids, ground.rng, pace)
    return Scheduling(pace, firing, Brake(ground.store, firing, ground.settings.catch_up_threshold))
