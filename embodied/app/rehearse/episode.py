"""One episode: an emulator with a hidden scene, the bridge as a child, the hidden truth at last."""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from embodied.app.rehearse.sentences import Sentence, draw, measured
from embodied.app.rehearse.setups import (
    SETUPS,
    Setup,
    driver_options,
    emulator_arguments,
    environment,
    loopback_host,
)
from embodied.app.signals import Terminated
from embodied.bench.runner import Payload, Row
from embodied.bridge.emulators.cameras import VIEWS
from embodied.bridge.vendors.truth import Truth
from embodied.errors import WorldError
from embodied.perception.cameras.wire import model_of
from embodied.types import Array, Pose

START_S = 90.0
FAULT_S = {"moved-object": (0.1, 1.0), "lost-camera": (0.2, 4.0), "hand": (0.2, 4.0)}
"""When a fault comes, after the arm first moved, s; an item before the arm has it."""

SETTLE_S = 1.0
"""Time that the scene has to come to rest before it is judged, s."""

_ENDS_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the episodes of a rehearsal are made.

    Attributes:
        driver: Name of the driver.
        scene: Name or file of the scene.
        calibration_mm: Each camera's pose is off by so much, in a direction of its own.
        calibration_deg: It is turned by so much, about an axis of its own.
        noise_mm: Standard deviation of the depth at 1 m.
        dropout: Share of pixels without depth.
        latency_s: From the exposure of a frame to when it is sent.
        rate_hz: Frames a second of each camera.
        brightness: Factor of all lights.
        faults: What goes wrong: one in each episode, in turn.
        stepped: The emulator's time passes with set-points only.
        limit_s: Longest time of a sentence.
        seed: Of the first episode.
    """

    driver: str
    scene: str = "blocks"
    calibration_mm: float = 0.3
    calibration_deg: float = 0.06
    noise_mm: float = 1.0
    dropout: float = 0.01
    latency_s: float = 0.05
    rate_hz: float = 5.0
    brightness: float = 1.0
    faults: tuple[str, ...] = ()
    stepped: bool = True
    limit_s: float = 300.0
    seed: int = 0

    def payload(self, episode: int, out: Path) -> Payload:
        """Input of one episode."""
        return {**asdict(self), "episode": episode, "out": str(out)}


def run_episode(payload: Payload) -> Row:
    """One sentence in one hidden scene; raises WorldError when the emulator does not start."""
    values: dict[str, Any] = {**payload, "faults": tuple(payload["faults"])}
    number, out = int(values.pop("episode")), Path(values.pop("out"))
    options = Options(**values)
    layout = 1000 + options.seed + number
    rng = np.random.default_rng([layout, 7])
    fault = options.faults[number % len(options.faults)] if options.faults else ""
    fault_s = float(rng.uniform(*FAULT_S.get(fault, (0.0, 1.0))))
    _clean_up_when_terminated()
    setup, host = SETUPS[options.driver], loopback_host(number)
    with tempfile.TemporaryDirectory(prefix="embodied-rehearsal-") as name:
        folder = Path(name)
        surroundings = environment(folder.name)
        arguments = emulator_arguments(
            setup, folder, scene=options.scene, seed=layout, host=host, stepped=options.stepped
        )
        cameras = json.dumps(_camera_settings(options, fault, fault_s, layout))
        command = ["embodied.bridge.emulators", *arguments, "--camera-settings", cameras]
        with _emulator(command, folder, surroundings) as device:
            truth = Truth(str(folder / "truth"))
            truth.open()
            sentence = _sentence(options, setup, truth, rng)
            if fault == "moved-object" and sentence.item:
                truth.ask(f"push {sentence.item} {fault_s:.2f} {layout}")
            file = folder / "cameras.toml"
            write_cameras(file, truth.ask("cameras"), options, rng)
            given = driver_options(setup, folder, host=host, device=device, stepped=options.stepped)
            arguments = ["--driver", options.driver, "--limits", setup.limits, *given]
            arguments += ["--scene", options.scene, "--cameras", str(file), "--mode", "auto"]
            arguments += ["--out", str(out), "--no-video", "--json", sentence.text]
            began = time.monotonic()
            said = _bridge(arguments, surroundings, options.limit_s)
            seconds = time.monotonic() - began
            judged = _judge(options, setup, truth, sentence)
            truth.close()
    claimed = bool((said.get("verdict") or {}).get("reached"))
    return {
        "status": "finished",
        "sentence": sentence.text,
        "goal": [str(atom) for atom in sentence.goal],
        "layout_seed": layout,
        "fault": fault,
        "claimed": claimed,
        "denied": claimed and not judged["reached"],
        **judged,
        "exit_code": said.get("exit_code"),
        "message": said.get("message", ""),
        "notes": said.get("notes", []),
        "bridge_s": round(seconds, 1),
    }


def _camera_settings(options: Options, fault: str, fault_s: float, seed: int) -> dict[str, object]:
    found: dict[str, object] = {
        "latency_s": options.latency_s,
        "rate_hz": options.rate_hz,
        "brightness": options.brightness,
        "seed": seed,
        "faults": {"noise_std_m": options.noise_mm / 1e3, "dropout": options.dropout},
    }
    if fault == "lost-camera":
        found |= {"lost": VIEWS[seed % len(VIEWS)], "lost_s": fault_s}
    if fault == "hand":
        found |= {"hand_s": fault_s}
    return found


def _sentence(options: Options, setup: Setup, truth: Truth, rng: np.random.Generator) -> Sentence:
    spec, grounder = _grounding(options, setup)
    return draw(spec, grounder.facts(measured(truth.ask(""))), rng)


def _grounding(options: Options, setup: Setup) -> tuple[Any, Any]:
    from embodied.world import robots
    from embodied.world.grounding import TabletopGrounder
    from embodied.world.scene import load_scene

    spec = robots.spec_of(load_scene(options.scene), robots.load(setup.robot), 0.01)
    return spec, TabletopGrounder(spec)


def _judge(options: Options, setup: Setup, truth: Truth, sentence: Sentence) -> Row:
    """What the hidden truth says, once the scene came to rest."""
    if options.stepped:
        truth.ask(f"settle {SETTLE_S}")
    else:
        time.sleep(SETTLE_S)
    facts = _grounding(options, setup)[1].facts(measured(truth.ask("")))
    report = truth.ask("report")
    return {
        "reached": facts.issuperset(sentence.goal) and sentence.item not in report["touching"],
        "moved": report["arm_moved"],
        "pushed_at_s": report["pushed_at_s"],
        "touched": report["touched"],
    }


def write_cameras(
    file: Path, cameras: Mapping[str, Any], options: Options, rng: np.random.Generator
) -> None:
    """Write ``cameras.toml`` with true intrinsics and poses that are off by a calibration error."""
    from embodied.perception.cameras.files import CameraEntry, save_cameras

    entries: list[CameraEntry] = []
    for name, true in cameras.items():
        position, quat = np.array(true["pose"][:3]), np.array(true["pose"][3:])
        pose = disturbed(
            Pose(position=position, quat_wxyz=quat),
            shift_m=options.calibration_mm / 1e3,
            turn_rad=float(np.radians(options.calibration_deg)),
            rng=rng,
        )
        model = model_of(true["model"])
        where = {"path": "cameras"}
        entries.append(
            CameraEntry(name=name, driver="socket", options=where, model=model, pose=pose)
        )
    save_cameras(file, entries)


def disturbed(pose: Pose, *, shift_m: float, turn_rad: float, rng: np.random.Generator) -> Pose:
    """The pose, off by ``shift_m`` and turned by ``turn_rad`` in random directions."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(turn_rad * _direction(rng)).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ pose.rotation
    matrix[:3, 3] = pose.position + shift_m * _direction(rng)
    return Pose.from_matrix(matrix)


def _direction(rng: np.random.Generator) -> Array:
    vector = rng.standard_normal(3)
    return vector / np.linalg.norm(vector)


# ------------------------------------------------------------------- processes


def _clean_up_when_terminated() -> None:
    """In a worker process: end as on Ctrl-C, with the children, when it is terminated."""

    def terminated(signum: int, frame: object) -> None:
        raise Terminated

    if multiprocessing.parent_process() is not None:
        signal.signal(signal.SIGTERM, terminated)


def _with_parent() -> None:
    """In the child: hear interrupts, which pools ignore, and end when whoever started it ends."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def _start(
    module: str, arguments: Sequence[str], errors: IO[bytes] | int, surroundings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=surroundings,
        start_new_session=True,
        preexec_fn=_with_parent,
    )


def _end(process: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """End a process with its children, politely first."""
    for number in (*signals, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_S)
            return


@contextmanager
def _emulator(
    command: Sequence[str], folder: Path, surroundings: Mapping[str, str]
) -> Generator[str]:
    """A running emulator; gives the device that it printed, if any."""
    log = folder / "emulator.log"
    with log.open("wb") as errors:
        process = _start(command[0], command[1:], errors, surroundings)
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        line = process.stdout.readline().decode() if ready else ""
        if not line.startswith("ready"):
            said = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise WorldError(f"the emulator did not start: {' '.join(said) or 'no answer'}")
        yield line.removeprefix("ready").strip()
    finally:
        _end(process, signal.SIGTERM)
        if process.stdout is not None:
            process.stdout.close()


def _bridge(arguments: Sequence[str], surroundings: Mapping[str, str], limit_s: float) -> Row:
    """What ``embodied bridge run`` said, as JSON; it is interrupted when its time is over."""
    command = ["bridge", "run", *arguments]
    process = _start("embodied.app.cli.main", command, subprocess.PIPE, surroundings)
    try:
        output, errors = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_ENDS_S)
        return {"exit_code": 4, "message": f"out of time: {limit_s:g} s"}
    finally:
        _end(process, signal.SIGINT)
    lines = output.decode("utf-8", "replace").strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        text = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
        return {"exit_code": process.returncode, "message": " ".join(text) or "no answer"}
