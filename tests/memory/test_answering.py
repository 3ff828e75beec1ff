"""Questions and statements about a scene: from what is believed and from what has happened."""

import json
from dataclasses import replace

import numpy as np
import pytest

from embodied.errors import NotUnderstoodError
from embodied.language.models import FunctionModel
from embodied.language.pddl.rules import RulesTranslator
from embodied.language.pddl.scene_translator import SceneTranslator
from embodied.memory import Memory, MemoryLog, Provenance
from embodied.memory.answering import Belief, answer_question, ask
from embodied.memory.history import Notebook
from embodied.memory.telling import Told, tell
from embodied.memory.tracing import empty_memory
from embodied.types import GroundAction, Observation, PddlProgram, Pose, SkillResult
from embodied.world.fake import FakeWorld
from embodied.world.grounding import TabletopGrounder
from embodied.world.scene import parse_scene
from embodied.world.visibility import Sight

SCENE = """
name = "test"
description = "test"
sentences = ["put the ball in the bowl"]
[[container]]
name = "bowl"
category = "bowl"
color = "blue"
shape = "cylinder"
size_m = [0.2, 0.2, 0.055]
position_m = [0.55, -0.36]
aliases = ["dish"]
[[drawer]]
name = "drawer"
category = "drawer"
cabinet_size_m = [0.22, 0.24, 0.11]
position_m = [0.68, 0.27]
yaw_deg = 180
travel_m = 0.15
[[item]]
name = "red-cup"
category = "cup"
color = "red"
shape = "cylinder"
size_m = [0.068, 0.068, 0.075]
inner_size_m = [0.060, 0.060, 0.071]
aliases = ["mug"]
[[item]]
name = "ball"
category = "ball"
color = "green"
shape = "sphere"
size_m = [0.04, 0.04, 0.04]
[[item]]
name = "red-block"
category = "block"
color = "red"
size_m = [0.04, 0.04, 0.04]
[[item]]
name = "blue-block"
category = "block"
color = "blue"
size_m = [0.04, 0.04, 0.04]
[layout.initial]
red-cup = {on = "table", position_m = [0.35, -0.15]}
ball = {on = "table", position_m = [0.45, -0.05]}
red-block = {on = "table", position_m = [0.35, 0.05]}
blue-block = {on = "table", position_m = [0.45, 0.15]}
"""
PROGRAM = PddlProgram(domain="", problem="", stages=("(on red-block blue-block)",), source="rules")


def at(x: float, y: float, z: float) -> Pose:
    return Pose(position=np.array([x, y, z]), quat_wxyz=np.array([1.0, 0.0, 0.0, 0.0]))


class Scene:
    """A world that changes by hand, seen through a filter, and what is remembered of it."""

    def __init__(self) -> None:
        self.world = FakeWorld(parse_scene(SCENE))
        grounder = TabletopGrounder(self.world.spec)
        self.sight = Sight(grounder)
        self.notebook = Notebook(empty_memory(grounder, complete=True))
        self.now = self.world.reset(seed=0)
        self.later = 0.0
        self.look()

    def look(self, poses: dict[str, Pose] | None = None, *, drawer_m: float = 0.0) -> None:
        self.later += 1.0
        self.now = replace(
            self.now,
            time=self.later,
            poses={**self.now.poses, **(poses or {})},
            openings_m={"drawer": drawer_m},
        )
        self.take(self.notebook.memory.observed(self.seen))

    @property
    def seen(self) -> Observation:
        return self.sight(self.now)

    def take(self, memory: Memory) -> None:
        assert memory.change is not None
        self.notebook.take(memory.change)

    @property
    def belief(self) -> Belief:
        n = self.notebook
        return Belief(memory=n.memory, objects=self.world.spec.objects, history=n.history)

    def tell(self, text: str) -> Told:
        told = tell(text, self.belief)
        for step in told.steps:
            self.take(step)
        return told

    def words(self, question: str) -> tuple[str, ...]:
        return ask(question, self.belief).words

    def said(self, question: str) -> str:
        return answer_question(question, self.belief)


@pytest.fixture
def scene() -> Scene:
    return Scene()


DRAWER_FLOOR = at(0.66, 0.27, 0.035)


def hidden_in_drawer(scene: Scene) -> None:
    """The ball is seen in the open drawer, which then closes."""
    scene.look({"ball": at(0.60, 0.27, 0.035)}, drawer_m=0.15)
    assert scene.words("where is the ball?") == ("drawer",)
    scene.look({"ball": DRAWER_FLOOR})


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Where is the mug?", ("table",)),
        ("do you know where the green ball is?", ("table",)),
        ("what is on the table?", ("red-cup", "ball", "red-block", "blue-block")),
        ("which blocks are on the table?", ("red-block", "blue-block")),
        ("how many blocks are there?", ("2",)),
        ("how many red things are on the table?", ("2",)),
        ("is there anything in the dish?", ("no",)),
        ("what does the bowl contain?", ()),
        ("what colour is the ball?", ("green",)),
        ("is the drawer open or closed?", ("closed",)),
        ("is the drawer closed?", ("yes",)),
        ("what are you holding?", ()),
        ("are you holding the ball?", ("no",)),
        ("is the blue block in the bowl or on the table?", ("on the table",)),
        ("what is under the ball?", ("table",)),
        ("what did you do last?", ()),
        ("have you moved anything?", ("no",)),
        ("which colour has the ball?", ("green",)),
        ("on what is the ball?", ("table",)),
        ("isn't the ball on the table?", ("yes",)),
        ("is your hand empty?", ()),
        ("when did you last see the ball?", ("1.0",)),
        ("what can you see on the table?", ("red-cup", "ball", "red-block", "blue-block")),
        ("is the ball heavier than the mug?", ("not known",)),
    ],
)
def test_what_is_so_now(scene: Scene, question: str, words: tuple[str, ...]) -> None:
    assert scene.words(question) == words


@pytest.mark.parametrize(
    "text",
    ["put the ball in the bowl", "where is the unicorn?", "wherefore?", "", "where is the block?"],
)
def test_what_is_no_question_is_refused(scene: Scene, text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        answer_question(text, scene.belief)


def test_what_a_closed_drawer_hides_is_remembered_as_it_was_seen(scene: Scene) -> None:
    hidden_in_drawer(scene)
    assert "ball" not in scene.seen.poses
    scene.look()
    assert scene.words("where is the ball?") == ("drawer",)
    assert scene.said("where is the ball?").endswith("where I saw it last at 2.0 s.")
    assert scene.words("what is in the drawer?") == ("ball",)
    assert scene.words("in which drawer is the ball?") == ("drawer",)
    assert scene.words("which container is the ball in?") == ("drawer",)
    assert scene.words("when did you last see the ball?") == ("2.0",)
    facts = {str(a): f for a, f in scene.notebook.memory.beliefs.items()}
    kept = facts["(in ball drawer)"]
    assert (kept.provenance, kept.time_s) == (Provenance.SEEN, 2.0)
    assert scene.words("where was the ball?") == ("table",)


def test_an_open_drawer_refutes_what_was_believed_in_it(scene: Scene) -> None:
    hidden_in_drawer(scene)
    poses = dict(scene.now.poses)
    del poses["ball"]  # somebody took it away
    scene.now = replace(scene.now, poses=poses)
    scene.look(drawer_m=0.15)
    assert scene.words("where is the ball?") == ("not known",)
    assert scene.words("is there anything in the drawer?") == ("no",)


def test_a_cover_hides_and_takes_along_what_is_under_it(scene: Scene) -> None:
    x, y, _ = scene.now.poses["ball"].position
    scene.look({"red-cup": at(x, y, 0.0375)})
    assert "ball" not in scene.seen.poses
    assert scene.words("where is the ball?") == ("red-cup", "table")
    assert scene.words("what is under the mug?") == ("ball",)
    assert scene.words("which cup is the ball under?") == ("red-cup",)
    assert "(clear ball)" not in map(str, scene.notebook.memory.facts)
    scene.look({"red-cup": at(x, y + 0.1, 0.0375), "ball": at(x, y + 0.1, 0.02)})
    assert scene.words("what is under the mug?") == ("ball",)
    scene.look({"red-cup": at(x - 0.1, y, 0.0375)})
    assert scene.words("where is the ball?") == ("table",)


def test_told_words_and_weights_are_kept(scene: Scene) -> None:
    assert scene.tell("the blue block is dirty").accepted
    assert scene.tell("the mug is twice as heavy as the ball").accepted
    assert scene.tell("the ball weighs 50 g").accepted
    scene.look()
    assert scene.words("which blocks are dirty?") == ("blue-block",)
    assert scene.words("is the blue block clean?") == ("no",)
    assert scene.words("is the red block dirty?") == ("not known",)
    assert scene.words("how heavy is the mug?") == ("1/10",)
    assert scene.words("is the mug heavier than the ball?") == ("yes",)
    assert scene.notebook.memory.attributes == {"dirty": frozenset({"blue-block"})}
    assert not any(a.predicate == "dirty" for a in scene.notebook.memory.facts)
    assert scene.tell("I washed the blue block").accepted
    assert scene.words("which blocks are dirty?") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I moved the ball into the bowl", "was seen at the same moment"),
        ("the ball is red", "the ball is green"),
        ("the bowl is in the drawer", "the bowl is fixed"),
        ("I opened the bowl", "cannot be opened or closed"),
        ("the ball is in the red cup", "nothing can be in the red cup"),
        ("the ball is a block", ""),
    ],
)
def test_what_is_rejected_says_why(scene: Scene, text: str, reason: str) -> None:
    if not reason:
        with pytest.raises(NotUnderstoodError):
            scene.tell(text)
        return
    told = scene.tell(text)
    assert not told.accepted
    assert reason in told.text


def test_a_contradicting_weight_is_rejected(scene: Scene) -> None:
    scene.tell("the ball is half as heavy as the mug")
    told = scene.tell("the mug is three times as heavy as the ball")
    assert not told.accepted
    assert "3 times the weight of the ball" in told.text
    assert scene.words("how heavy is the mug compared with the ball") == ("2",)


def test_what_is_told_of_a_hidden_thing_stands_until_it_is_looked_for(scene: Scene) -> None:
    hidden_in_drawer(scene)
    assert scene.tell("I took the ball out of the drawer and put it under the mug").accepted
    scene.look()
    assert scene.words("where is the ball?") == ("red-cup", "table")
    assert scene.said("where is the ball?").endswith(", as you told me.")
    scene.look({"red-cup": at(0.35, -0.15, 0.3)})  # lifted, and nothing under it
    assert scene.words("where is the ball?") == ("not known",)


def test_what_would_be_seen_is_not_believed(scene: Scene) -> None:
    hidden_in_drawer(scene)
    told = scene.tell("I took the ball out of the drawer and put it in the bowl")
    assert "I see the bowl, and the ball is not there" in told.text
    assert scene.words("where is the ball?") == ("drawer",)


def test_deeds_are_remembered_with_their_reason(scene: Scene) -> None:
    memory = scene.notebook.memory
    assert scene.said("what did you do last?") == "I have done nothing yet."
    scene.take(memory.told("put the red block on the blue one", PROGRAM, "red on blue"))
    action = GroundAction.parse("(stack red-block blue-block)")
    scene.take(scene.notebook.memory.executed(action, SkillResult(ok=False, reason="slip")))
    scene.look({"red-block": at(0.45, 0.15, 0.06)})
    scene.take(scene.notebook.memory.ended("reached"))
    assert scene.words("what did you do last?") == ("red-block",)
    assert "I put the red block on the blue block" in scene.said("what have you done?")
    assert scene.words("why did you do that?") == ("put the red block on the blue one",)
    assert scene.words("why did you move the red block?") == ("put the red block on the blue one",)
    assert scene.words("did you move the ball?") == ("no",)
    assert scene.words("did you move the red block?") == ("yes",)
    assert scene.words("where was the red block before?") == ("table",)
    assert scene.words("when did you move the red block?") == ("2",)
    assert scene.words("how many blocks did you move?") == ("1",)
    assert scene.words("have you moved anything?") == ("yes",)
    assert scene.words("what did you move?") == ("red-block",)
    assert scene.words("what is under the red block?") == ("blue-block",)


def test_a_new_log_begins_with_all_that_is_believed(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hidden_in_drawer(scene)
    scene.tell("the mug is twice as heavy as the ball")
    scene.tell("the ball is dirty")
    before = scene.notebook.memory
    empty, change = scene.notebook.reopened()
    assert change is not None
    with MemoryLog(tmp_path_factory.mktemp("log") / "memory.jsonl") as log:
        log.append(change)
    scene.notebook.take(change)
    after = scene.notebook.memory
    assert (empty.step, after.step) == (0, 1)
    assert dict(after.beliefs) == dict(before.beliefs)
    assert after.quantities.rows == before.quantities.rows
    assert scene.words("where was the ball?") == ("table",)


def test_goals_may_use_what_was_told(scene: Scene) -> None:
    grounder = scene.sight._grounder  # pyright: ignore[reportPrivateUsage]
    translator = RulesTranslator(grounder.domain_text, grounder.objects)
    spec = scene.world.spec
    with pytest.raises(NotUnderstoodError):
        translator.translate("put all dirty blocks in the bowl", scene.notebook.memory, spec)
    scene.tell("the blue block is dirty")
    program = translator.translate("put all dirty blocks in the bowl", scene.notebook.memory, spec)
    assert program.stages == ("(in blue-block bowl)",)
    assert "dirty" not in program.problem


def test_a_model_is_shown_what_is_told_and_remembered(scene: Scene) -> None:
    hidden_in_drawer(scene)
    scene.look()
    scene.tell("the blue block is dirty")
    scene.tell("the ball is half as heavy as the mug")
    grounder = scene.sight._grounder  # pyright: ignore[reportPrivateUsage]
    model = FunctionModel(lambda request: "{}")
    translator = SceneTranslator(model, grounder.domain_text, grounder.objects)
    request = translator.build_request("clean up", scene.notebook.memory)
    shown = request.messages[-1].text
    assert "(dirty blue-block) was told at 4.0 s" in shown
    assert "(in ball drawer) was seen at 2.0 s" in shown
    assert "1/2 (weight red-cup)" in shown


def test_a_model_proposes_what_the_rules_cannot_read(scene: Scene) -> None:
    answer = {
        "deltas": [
            {"op": "add", "fact": "(dirty blue-block)"},
            {"op": "add", "fact": "(on ball red-block)"},
        ],
        "relations": [{"x": "(weight ball)", "factor": "2", "y": "(weight red-block)"}],
        "actions": [],
        "say": [],
    }
    model = FunctionModel(lambda request: json.dumps(answer))
    told = tell("mind the blue thing, there is mud all over it", scene.belief, writer=model)
    assert [d.judgement.value for d in told.decisions] == ["accepted", "rejected", "accepted"]
    assert told.memory.attributes == {"dirty": frozenset({"blue-block"})}
    assert "was seen at the same moment" in told.text
    silent = FunctionModel(lambda request: '{"deltas": [], "relations": []}')
    with pytest.raises(NotUnderstoodError):
        tell("mind the gap", scene.belief, writer=silent)
