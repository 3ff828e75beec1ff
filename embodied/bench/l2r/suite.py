"""`embodied bench l2r`: the 17 tasks of Language to Rewards (arXiv 2306.08647) in simulation.

Every episode is one line of ``results.jsonl``, appended when it is over; a killed run continues
with the same folder and repeats nothing. Success comes from recorded states of the simulation.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embodied.bench.core.plotting import new_figure
from embodied.bench.core.report import wilson_interval
from embodied.bench.core.runner import end_pool, start_worker
from embodied.bench.l2r.arm import ARM_TASKS
from embodied.bench.l2r.quadruped import QUADRUPED_TASKS, L2rTask, Phase
from embodied.errors import ConfigurationError, EmbodiedError
from embodied.language.reward import program_to_json
from embodied.language.reward.amending import Conversation
from embodied.language.reward.primitives import PrimitiveTranslator
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.speech import Speech
from embodied.language.reward.translator import RewardTranslator
from embodied.protocols import Translator
from embodied.routes.reward.robots import REWARD_ROBOTS
from embodied.routes.reward.setup import RewardSetup, build_setup
from embodied.types import RewardGoal, RewardProgram

TASKS: Mapping[str, L2rTask] = {t.name: t for t in (*QUADRUPED_TASKS, *ARM_TASKS)}
"""All 17 tasks by name."""

SENTENCE_EVERY_S = 3.5
"""Simulated time between two sentences of one conversation."""

CHECK_EVERY_STEPS = 25

Script = Sequence[tuple[float, RewardProgram]]
"""Programs with the simulated time at which each takes over."""
Method = Callable[[L2rTask], Script]


def oracle(task: L2rTask) -> Script:
    """The rewards written by hand with the task."""
    return [(0.0, task.oracle)]


def translated(task: L2rTask, translator: Translator) -> Script:
    """What a translator makes of the task's sentences, said one after the other.

    Raises:
        EmbodiedError: The translator abstains or fails.
    """
    rig = build_setup(task.robot, scene=task.scene, layout=task.layout)
    memory = Conversation()
    script: list[tuple[float, RewardProgram]] = []
    try:
        for i, sentence in enumerate(task.instructions):
            program = translator.translate(sentence, memory, rig.world.spec)
            if not isinstance(program, RewardProgram):
                raise ConfigurationError(f"{translator.name} writes no reward programs")
            memory = memory.told(sentence, program)
            script.append((i * SENTENCE_EVERY_S, program))
    finally:
        rig.close()
    return script


def method_named(name: str, model: str = "", base_url: str | None = None) -> Method:
    """A method by its name: one of ``METHODS``; the last three need a model.

    Raises:
        ConfigurationError: Unknown name, or no model given.
    """
    if name == "oracle":
        return oracle
    if name == "rules":
        return lambda task: translated(task, RewardRules(_speech(task)))
    if name not in METHODS:
        raise ConfigurationError(f"unknown method {name!r}, legal: {', '.join(METHODS)}")
    if not model:
        raise ConfigurationError(f"method {name!r} needs --model, e.g. openai:NAME")
    from embodied.language.models import open_model

    opened = open_model(model, base_url=base_url)
    if name == "primitives":
        return lambda task: translated(task, PrimitiveTranslator(opened, task.robot))
    two_step = name == "two-step"
    return lambda task: translated(task, RewardTranslator(opened, _speech(task), two_step=two_step))


def _speech(task: L2rTask) -> Speech:
    robot = REWARD_ROBOTS.get(task.robot)
    return robot.words(robot.things)


METHODS = ("oracle", "rules", "two-step", "one-step", "primitives")


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Result of one episode.

    Attributes:
        task: Task.
        method: Who wrote the rewards.
        seed: Of layout and planner.
        program: Digest of programs and planner settings: a change means another episode.
        solved: All phases were held.
        phases: For each phase whether it was held.
        shares: For each phase the share of the time at which its predicate was true.
        simulated_s: Length of the episode.
        cpu_s: CPU time of control and simulation.
        physics_steps: Steps of the plan model.
        speed_ratio: Largest measured joint speed as a share of its limit (set-points are limited;
            a collision may exceed it briefly).
        error: Why it could not run; empty otherwise.
    """

    task: str
    method: str
    seed: int
    program: str
    solved: bool
    phases: tuple[bool, ...] = ()
    shares: tuple[float, ...] = ()
    simulated_s: float = 0.0
    cpu_s: float = 0.0
    physics_steps: int = 0
    speed_ratio: float = 0.0
    error: str = ""


def held(phases: Sequence[Phase], view: Any) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Which phases were held one after the other, and how often each predicate was true.

    Args:
        phases: Predicates with their times.
        view: Recorded states, (1, T).
    """
    begin = 0
    done: list[bool] = []
    shares: list[float] = []
    for phase in phases:
        true = phase.holds(view)
        shares.append(round(float(true.mean()), 3))
        end = None
        since = None
        if all(done):
            for i in range(begin, len(true)):
                if not true[i]:
                    since = None
                    continue
                since = i if since is None else since
                if view.time[i] - view.time[since] >= phase.hold_s - 1e-9:
                    end = i
                    break
        done.append(end is not None)
        begin = begin if end is None else end
    return tuple(done), tuple(shares)


def record_episode(
    rig: RewardSetup,
    script: Script,
    seconds: float,
    seed: int,
    phases: Sequence[Phase] = (),
) -> Any:
    """Run a script and return the view (1, T) of the recorded states of the simulation.

    The episode ends early when all ``phases`` have been held after the last program took over.
    """
    world, controller = rig.world, rig.controller
    observation = world.reset(seed=seed)
    state = controller.init(RewardGoal(program=script[0][1]), observation)
    waiting = list(script[1:])
    states: list[np.ndarray] = []
    sensors: list[np.ndarray] = []

    def view() -> Any:
        return rig.judge.view_of(np.array(states)[None], np.array(sensors)[None])

    while observation.time < seconds - 1e-9:
        if waiting and observation.time >= waiting[0][0] - 1e-9:
            state = controller.redirect(state, waiting.pop(0)[1])
        command, state, _ = controller.step(state, observation)
        observation = world.step(command).observation
        states.append(world.full_state())
        sensors.append(rig.judge.sensors_of(states[-1], world.data.ctrl))
        due = phases and not waiting and len(states) % CHECK_EVERY_STEPS == 0
        if due and all(held(phases, view())[0]):
            break
    return view()


def digest(task: L2rTask, script: Script) -> str:
    """Short digest of what an episode depends on besides its seed."""
    text = repr((REWARD_ROBOTS.get(task.robot).options, task.limit_s)) + "".join(
        f"{at}{program_to_json(p)}" for at, p in script
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_episode(task: L2rTask, script: Script, method: str, seed: int) -> Episode:
    """One episode; failures of the simulation are results, not exceptions."""
    key = digest(task, script)
    rig = build_setup(task.robot, scene=task.scene, layout=task.layout, seed=seed)
    begin = time.process_time()
    try:
        view = record_episode(rig, script, task.limit_s, seed, task.phases)
    except (EmbodiedError, ValueError) as error:
        return Episode(
            task=task.name, method=method, seed=seed, program=key, solved=False, error=str(error)
        )
    finally:
        rig.close()
    cpu = time.process_time() - begin
    phases, shares = held(task.phases, view)
    model = rig.world.model
    joints = model.jnt_dofadr[model.actuator_trnid[:, 0]]
    speed = np.abs(view.states[0][:, 1 + model.nq + joints].T)
    return Episode(
        task=task.name,
        method=method,
        seed=seed,
        program=key,
        solved=all(phases),
        phases=phases,
        shares=shares,
        simulated_s=round(float(view.time[-1]), 2),
        cpu_s=round(cpu, 2),
        physics_steps=rig.controller.planner.rollouts.steps_done,
        speed_ratio=round(float((speed.max(axis=1) / rig.world.spec.dq_max).max()), 2),
    )


def read_results(folder: Path) -> list[Episode]:
    """Finished episodes of a folder; a half-written last line is left out."""
    path = folder / "results.jsonl"
    episodes: list[Episode] = []
    if not path.is_file():
        return episodes
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            data = json.loads(line)
        except json.JSONDecodeError:
            continue
        data["phases"], data["shares"] = tuple(data["phases"]), tuple(data["shares"])
        episodes.append(Episode(**data))
    return episodes


def run_benchmark(
    folder: Path,
    *,
    names: Iterable[str] = (),
    seeds: int = 10,
    workers: int = 1,
    method: Method = oracle,
    method_name: str = "oracle",
    progress: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Run what is missing in a folder and return all its episodes of this method.

    Args:
        folder: Results folder; made if it does not exist.
        names: Tasks; all 17 by default.
        seeds: Seeds 0 .. seeds-1.
        workers: Processes.
        method: Gives the programs of a task.
        method_name: Its name in the results.
        progress: Called after every episode.

    Raises:
        ConfigurationError: Unknown task.
    """
    wanted = list(names) or list(TASKS)
    for name in wanted:
        if name not in TASKS:
            raise ConfigurationError(f"unknown task {name!r}, legal: {', '.join(TASKS)}")
    folder.mkdir(parents=True, exist_ok=True)
    scripts: dict[str, Script] = {}
    failed: dict[str, str] = {}
    for name in wanted:
        try:
            scripts[name] = method(TASKS[name])
        except EmbodiedError as error:
            failed[name] = str(error)
    done = {(e.task, e.method, e.seed, e.program): e for e in read_results(folder)}
    jobs: list[tuple[str, int]] = []
    chosen: list[Episode] = []
    with (folder / "results.jsonl").open("a", encoding="utf-8") as out:

        def finished(episode: Episode) -> None:
            out.write("\n" if out.tell() and not _ends_with_newline(folder) else "")
            out.write(json.dumps(asdict(episode)) + "\n")
            out.flush()
            chosen.append(episode)
            if progress is not None:
                progress(episode)

        for seed in range(seeds):
            for name in wanted:
                if name in failed:
                    key = (name, method_name, seed, "")
                else:
                    key = (name, method_name, seed, digest(TASKS[name], scripts[name]))
                if key in done:
                    chosen.append(done[key])
                elif name in failed:
                    finished(
                        Episode(
                            task=name,
                            method=method_name,
                            seed=seed,
                            program="",
                            solved=False,
                            error=failed[name],
                        )
                    )
                else:
                    jobs.append((name, seed))
        if workers <= 1:
            for name, seed in jobs:
                finished(run_episode(TASKS[name], scripts[name], method_name, seed))
        elif jobs:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(
                workers, mp_context=context, initializer=start_worker, initargs=(os.getpid(),)
            )
            try:
                futures = [
                    pool.submit(_run_by_name, name, list(scripts[name]), method_name, seed)
                    for name, seed in jobs
                ]
                for future in as_completed(futures):
                    finished(future.result())
            finally:
                end_pool(pool)
    return chosen


def _ends_with_newline(folder: Path) -> bool:
    with (folder / "results.jsonl").open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _run_by_name(name: str, script: Script, method: str, seed: int) -> Episode:
    return run_episode(TASKS[name], script, method, seed)


def table(episodes: Sequence[Episode]) -> str:
    """Markdown table: solved of tried with the 95% interval, and the real-time factor."""
    lines = [
        "| task | method | solved | 95% interval | CPU s per simulated s |",
        "|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Episode]] = {}
    for episode in episodes:
        groups.setdefault((episode.task, episode.method), []).append(episode)
    order = {name: i for i, name in enumerate(TASKS)}
    good = 0
    for (name, method), group in sorted(groups.items(), key=lambda g: order[g[0][0]]):
        n = len(group)
        solved = sum(e.solved for e in group)
        low, high = wilson_interval(solved, n)
        good += solved >= 0.8 * n
        ran = [e for e in group if e.simulated_s]
        cost = sum(e.cpu_s for e in ran) / sum(e.simulated_s for e in ran) if ran else math.nan
        lines.append(f"| {name} | {method} | {solved}/{n} | {low:.0%} to {high:.0%} | {cost:.2f} |")
    lines.append("")
    lines.append(f"{good} of {len(groups)} at 80% or more of their seeds.")
    return "\n".join(lines)


def plot(episodes: Sequence[Episode], path: Path) -> None:
    """Bar chart of the success rates with intervals.

    Raises:
        EnvironmentMissingError: matplotlib is not installed.
    """
    methods = list(dict.fromkeys(e.method for e in episodes))
    names = [n for n in TASKS if any(e.task == n for e in episodes)]
    figure = new_figure(9, 0.32 * len(names) * len(methods) + 1.2)
    axes = figure.subplots()
    for k, method in enumerate(methods):
        for i, name in enumerate(names):
            group = [e for e in episodes if e.task == name and e.method == method]
            if not group:
                continue
            solved = sum(e.solved for e in group)
            low, high = wilson_interval(solved, len(group))
            rate = solved / len(group)
            axes.barh(
                i + 0.8 * k / len(methods),
                rate,
                height=0.7 / len(methods),
                color=f"C{k}",
                xerr=[[rate - low], [high - rate]],
                error_kw={"ecolor": "0.4", "capsize": 2},
                label=method if i == 0 else None,
            )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("share of seeds solved, 95% Wilson interval")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line; 0 when every episode could be run."""
    import argparse
    import sys

    parser = argparse.ArgumentParser(prog="embodied bench l2r", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/l2r"), help="results folder")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1, help="episodes at the same time")
    parser.add_argument("--task", action="append", default=[], choices=list(TASKS))
    parser.add_argument("--method", action="append", default=[], choices=METHODS)
    parser.add_argument("--model", default="", help="for the methods that need one")
    parser.add_argument("--base-url", default=None)
    parser.add_argument("--report", action="store_true", help="only show what is there")
    given = parser.parse_args(arguments)

    def progress(e: Episode) -> None:
        sys.stderr.write(
            f"{e.task} {e.method} seed {e.seed}: {'solved' if e.solved else 'not solved'} "
            f"{e.phases} {e.shares} {e.cpu_s} s CPU, speed {e.speed_ratio} {e.error}\n"
        )

    episodes: list[Episode] = []
    if given.report:
        episodes = read_results(given.out)
    else:
        for name in given.method or ["oracle"]:
            episodes += run_benchmark(
                given.out,
                names=given.task,
                seeds=given.seeds,
                workers=given.jobs,
                method=method_named(name, given.model, given.base_url),
                method_name=name if not given.model else f"{name} {given.model}",
                progress=progress,
            )
    text = table(episodes)
    sys.stdout.write(text + "\n")
    (given.out / "report.md").write_text(text + "\n", encoding="utf-8")
    try:
        plot(episodes, given.out / "report.png")
    except ImportError:
        sys.stderr.write("no plot: install the extra [bench] for matplotlib\n")
    return 1 if any(e.error for e in episodes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
