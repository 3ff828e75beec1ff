"""What the operator of an arm behind a supervisor chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embodied.bridge.messages import OperationMode


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeOptions:
    """What the operator chooses.

    Attributes:
        driver: Name of the driver.
        options: Its options.
        mode: What reaches the arm.
        limits: Signed-off limits file; None takes the one shipped for the simulated arm.
        journal: File of events, None for none.
        mcap: Recording of every period, None for none.
        stacks: Chance that an item of a simulated arm's scene starts on another one.
        cameras: File of the cameras that see the scene; None without.
        accept_disagreement: Go on though the cameras disagree.
    """

    driver: str = "simulated"
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    mode: OperationMode = OperationMode.AUTO
    limits: Path | None = None
    journal: Path | None = None
    mcap: Path | None = None
    stacks: float | None = None
    cameras: Path | None = None
    accept_disagreement: bool = False

    @property
    def rehearses(self) -> bool:
        """Whether a twin moves in place of the arm."""
        return self.mode in (OperationMode.DRY_RUN, OperationMode.SHADOW)

    @property
    def sightless(self) -> bool:
        """Whether no simulator says where things are."""
        return not (self.driver == "simulated" or self.rehearses or self.options.get("truth"))

    @property
    def blind(self) -> bool:
        """Whether nobody says where things are: neither cameras nor a simulator."""
        return self.cameras is None and self.sightless
