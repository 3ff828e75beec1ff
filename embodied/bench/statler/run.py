"""Plays episodes, random sessions and shell games turn by turn, and judges every turn."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from embodied.bench.runner import Row
from embodied.bench.statler.data import Episode, ratios_in
from embodied.bench.statler.language import Sentence, names_in, read_sentence
from embodied.bench.statler.methods import Method, Pairs, Reply
from embodied.bench.statler.score import Demand, compare, demand_of, happen, same_answer
from embodied.bench.statler.sessions import Look, ShellGame, sentences
from embodied.bench.statler.world import BlockWorld, Impossible
from embodied.errors import NotUnderstoodError
from embodied.memory.statements import Statement
from embodied.symbolic import Domain

_EXAMPLES = 5


def play_episode(episode: Episode, method: Method) -> Row:
    """Play a published episode; ends at the first turn that is not as demanded.

    The published metric: an episode succeeds when every turn does. A turn succeeds when the moves
    are possible and leave behind what the sentence demands, and the answer is true.
    """
    world = BlockWorld(episode.names, episode.weights)
    groups = DisjointSet(world.blocks)
    spoken: set[str] = set()
    totals = {"statements": 0, "wrong": 0, "same_moves": 0, "moved_turns": 0}
    failure, right = "", 0
    for number, step in enumerate(episode.steps):
        try:
            sentence = read_sentence(step.query, world.names())
            _take_in(sentence, step.query, world, groups, spoken)
            reply, problem = _take_turn(method, step.query, sentence, world, float(number + 1))
        except (NotUnderstoodError, Impossible) as error:
            failure = f"turn {number}, '{step.query}' is not read: {error}"
            break
        belief = method.belief(tuple(itertools.combinations(world.blocks, 2)))
        statements, wrong = compare(belief, world, groups)
        totals["statements"] += statements
        totals["wrong"] += len(wrong)
        totals["moved_turns"] += bool(step.moves)
        totals["same_moves"] += bool(step.moves) and set(reply.moves) == set(step.moves)
        if problem:
            failure = f"turn {number}, '{step.query}': {problem}"
            break
        right += 1
    return {
        "status": "ok",
        "success": not failure,
        "turns": len(episode.steps),
        "right": right,
        "failure": failure,
        **totals,
    }


def play_session(method: Method, world: BlockWorld, rng: np.random.Generator, *, turns: int) -> Row:
    """Play a long random session; it goes on whatever happens.

    Every turn's belief is compared with the simulator, so that accuracy can be read against length.
    """
    groups = DisjointSet(world.blocks)
    spoken: set[str] = set()
    buckets = [[0, 0] for _ in range(10)]
    problems: list[str] = []
    failed = contradictions = refuted = 0
    pairs = tuple(itertools.combinations(world.blocks, 2))
    for number, said in enumerate(sentences(world, rng, turns)):
        asked: Pairs = [pairs[int(rng.integers(len(pairs)))]]
        time_s = float(number + 1)
        if isinstance(said, Look):
            world.under[said.block] = said.place
            contradictions += 2  # the old place is not measured, the new one was not believed
            refuted += method.look(world.under, time_s=time_s)
        else:
            sentence = read_sentence(said, world.names())
            _take_in(sentence, said, world, groups, spoken)
            _, problem = _take_turn(method, said, sentence, world, time_s)
            weighed = isinstance(sentence, Statement) and sentence.factor is not None
            asked = pairs if weighed else asked
            failed += bool(problem)
            problems += [f"turn {number}, '{said}': {problem}"] if problem else []
        statements, wrong = compare(method.belief(asked), world, groups)
        bucket = buckets[number * len(buckets) // turns]
        bucket[0] += statements
        bucket[1] += len(wrong)
        problems += [f"turn {number}, '{said}': {w}" for w in wrong]
    return {
        "status": "ok",
        "turns": turns,
        "failed_turns": failed,
        "statements": sum(s for s, _ in buckets),
        "wrong": sum(w for _, w in buckets),
        "by_tenth": buckets,
        "contradictions": contradictions,
        "refuted": refuted,
        "problems": problems[:_EXAMPLES],
    }


def _take_in(
    sentence: Sentence, query: str, world: BlockWorld, groups: DisjointSet, spoken: set[str]
) -> None:
    happen(sentence, world, spoken)
    if isinstance(sentence, Statement):
        spoken.update(names_in(query))
        for ratio in ratios_in(query, world.names()):
            groups.merge(ratio.x, ratio.y)


def _take_turn(
    method: Method, query: str, sentence: Sentence, world: BlockWorld, time_s: float
) -> tuple[Reply, str]:
    """Let the method answer, make its moves, and say what is wrong with the turn."""
    before = world.copy()
    demand: Demand = demand_of(sentence, world)
    reply = method.turn(query, time_s=time_s)
    problems: list[str] = [reply.problem] if reply.problem else []
    for block, place in reply.moves:
        try:
            world.move(block, place)
        except Impossible as error:
            problems.append(f"{block} to {place} is impossible: {error}")
            break
        method.moved(block, place, time_s=time_s)
    if demand.say is not None and not same_answer(reply.say, demand.say):
        said = ", ".join(reply.say) or "nothing"
        problems.append(f"it said {said}; truly {', '.join(demand.say) or 'nothing'}")
    problems += demand.unmet(before, world)
    return reply, "; ".join(problems)


def play_shell_game(rng: np.random.Generator, domain: Domain, *, cups: int, swaps: int) -> Row:
    """Play one game with cups and a ball through the memory; it is asked after every swap."""
    game = ShellGame(domain, cups=cups, ball=int(rng.integers(cups)) + 1)
    wrong = 0
    for number in range(swaps):
        i, j = (int(place) + 1 for place in rng.choice(cups, size=2, replace=False))
        game.swap(i, j, time_s=float(number + 1))
        wrong += game.believed() != game.truth
    return {
        "status": "ok",
        "cups": cups,
        "swaps": swaps,
        "statements": swaps,
        "wrong": wrong,
        "success": game.believed() == game.truth,
        "memoryless_success": game.first == game.truth,
    }
