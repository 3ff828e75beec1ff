"""The first request, and the first repair, of every route, strategy and writer, by name."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import embodied
from embodied.bench.human_model.model import Encounter, LanguageHuman
from embodied.bench.strategies.suite import Case, draw_case
from embodied.bench.strategies.symbolic_robot import SymbolicRobot
from embodied.errors import ModelError, ProgramError
from embodied.language.conversation import Conversation
from embodied.language.models import FunctionModel
from embodied.language.pddl.document_translator import DocumentTranslator
from embodied.language.pddl.plan_writer import PlanWriter
from embodied.language.pddl.scene_translator import SceneTranslator
from embodied.language.reward.primitives import PrimitiveTranslator
from embodied.language.reward.rules_arm import arm_speech
from embodied.language.reward.rules_quadruped import quadruped_speech
from embodied.language.reward.serialise import program_from_json
from embodied.language.reward.translator import RewardTranslator
from embodied.language.value_map.translator import ValueMapTranslator
from embodied.memory import Memory, SceneMemory, Vocabulary
from embodied.memory.model_writer import ModelWriter
from embodied.protocols import LanguageModel, Request
from embodied.routes.pddl.tasks import STRATEGIES
from embodied.symbolic import read_domain
from embodied.tools.definitions import Definitions
from embodied.tools.driving import opening, turn

_TRIED = '{"stages": [{"terms": [{"name": "stillness"}]}]}'

TOOLS = Definitions(routes=("pddl", "value-map", "reward", "mixed"), cameras=("top", "front-left"))

Ask = Callable[[LanguageModel], object]


def purposes() -> set[str]:
    """What for models are asked, by the sources of the package."""
    found: set[str] = set()
    for path in Path(embodied.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        if "models/" in path.as_posix() or "bench/" in path.as_posix():
            text = "".join(re.findall(r'purpose="human[^"]*"', text))
        found |= set(re.findall(r'purpose="([\w-]+)"|purpose = "([\w-]+)"', text))
    return {a or b for a, b in found}


def _askers(case: Case) -> dict[str, Ask]:
    grounder, spec = case.table.grounder, case.world.spec
    domain, objects = grounder.domain_text, dict(grounder.objects)
    memory = SceneMemory(
        grounder=grounder, transition=lambda action, facts: facts, facts=case.facts
    )

    def strategy(name: str, model: LanguageModel) -> object:
        robot = SymbolicRobot(case.task(case.goal), case.facts, failure_rate=0.0, seed=0)
        return STRATEGIES.get(name).make(model).pursue(robot)

    def remember(model: LanguageModel) -> object:
        words = Vocabulary(domain=read_domain(domain), objects=objects)
        return ModelWriter(model).propose(case.sentence, Memory(vocabulary=words))

    speeches = {"quadruped": quadruped_speech(), "arm": arm_speech()}
    asks: dict[str, Ask] = {
        "goal": lambda m: SceneTranslator(m, domain, objects).translate(
            case.sentence, memory, spec
        ),
        "problem": lambda m: DocumentTranslator(m).translate_document(domain, "", case.sentence),
        "plan": lambda m: PlanWriter(m).write_plan(domain, "", case.sentence),
        "value map, json": lambda m: ValueMapTranslator(m).translate(case.sentence, memory, spec),
        "value map, python": lambda m: ValueMapTranslator(
            m, form="python", positions=dict
        ).translate(case.sentence, memory, spec),
        "memory": remember,
        "tools": lambda m: m.complete(turn(TOOLS, opening(TOOLS, case.sentence), 1024)),
        "person": lambda m: LanguageHuman(m).intervenes(Encounter(item="cup", risk=0.5)),
    }
    for robot, speech in speeches.items():
        tried = program_from_json(_TRIED, speech.vocabulary, source="test")

        def describe(m: LanguageModel, speech=speech) -> object:  # type: ignore[no-untyped-def]
            return RewardTranslator(m, speech).translate("sit", Conversation(), spec)

        def code(m: LanguageModel, speech=speech) -> object:  # type: ignore[no-untyped-def]
            translator = RewardTranslator(m, speech, two_step=False)
            return translator.translate("sit", Conversation(), spec)

        def again(m: LanguageModel, speech=speech, tried=tried) -> object:  # type: ignore[no-untyped-def]
            return RewardTranslator(m, speech).repair_motion("sit", tried, ("too low",))

        asks[f"description, {robot}"] = describe
        asks[f"reward, {robot}"] = code
        asks[f"reward again, {robot}"] = again
    asks["skills"] = lambda m: PrimitiveTranslator(m, "quadruped").translate(
        "sit", Conversation(), spec
    )
    for name in STRATEGIES.names:
        if STRATEGIES.get(name).needs_model:
            asks[f"strategy {name}"] = lambda m, name=name: strategy(name, m)
    return asks


@cache
def every_request() -> dict[str, Request]:
    """Requests by who sends them; those that follow a useless answer end in ``"repaired"``."""
    importlib.import_module("embodied.routes.pddl.strategies.react")
    found: dict[str, Request] = {}
    for name, ask in _askers(draw_case(0)).items():
        seen: list[Request] = []

        def answer(request: Request, seen: list[Request] = seen) -> str:
            seen.append(request)
            if len(seen) == 2:
                raise ModelError("enough")
            return "I do not know."

        try:
            ask(FunctionModel(answer))
        except (ModelError, ProgramError):
            pass
        found[name] = seen[0]
        if len(seen) > 1:
            found[f"{name}, repaired"] = seen[1]
    return found
