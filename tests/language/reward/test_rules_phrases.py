"""Amounts, corrections and refusals of the reward rules."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.errors import NotUnderstoodError
from embodied.language.conversation import Conversation
from embodied.language.reward import Vocabulary, arm_speech, check, quadruped_speech
from embodied.language.reward.rules import RewardRules
from embodied.language.reward.vocabulary import arm_vocabulary
from embodied.types import RewardProgram, WorldSpec

SPEC = cast(WorldSpec, None)  # the rules never look at it


SPEECHES = {"quadruped": quadruped_speech(), "fr3-hand": arm_speech()}


def say(robot: str, *sentences: str, vocabulary: Vocabulary | None = None) -> RewardProgram:
    speech = arm_speech(vocabulary) if vocabulary else SPEECHES[robot]
    rules, memory = RewardRules(speech), Conversation()
    for sentence in sentences:
        program = rules.translate(sentence, memory, SPEC)
        assert check(program, rules.words) == ()
        memory = memory.told(sentence, program)
    return program


def values(program: RewardProgram, stage: int = -1) -> dict[tuple[str, ...], dict[str, Any]]:
    """Numbers of a stage's terms by (name, and the names among the parameters)."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for t in program.stages[stage].terms:
        key = (t.name, *(v for v in t.parameters.values() if isinstance(v, str)))
        found[key] = {k: v for k, v in t.parameters.items() if not isinstance(v, str)}
    return found


@pytest.mark.parametrize(
    ("sentence", "term", "parameter", "value"),
    [
        ("turn left 30 degrees", ("torso_heading",), "angle", math.radians(30)),
        ("turn right by ninety degrees", ("torso_heading",), "angle", -math.pi / 2),
        ("could you make a quarter turn to the left", ("torso_heading",), "angle", math.pi / 2),
        ("face due south", ("torso_heading",), "angle", -math.pi / 2),
        ("front left foot up by 20 cm", ("foot_lift", "front_left"), "height", 0.2),
        ("hold the back right foot fifteen centimeters off the floor",
         ("foot_lift", "rear_right"), "height", 0.15),
        ("trot forward at half a meter per second", ("torso_velocity",), "forward", 0.5),
        ("walk forwards 0.8 m/s", ("torso_velocity",), "forward", 0.8),
        ("shuffle left at 0.3 m/s", ("torso_velocity",), "left", 0.3),
        ("back up by 50 cm", ("torso_position",), "x", -0.5),
        ("go one meter to the left", ("torso_position",), "y", 1.0),
        ("raise your body to 35 cm", ("torso_height",), "height", 0.35),
        ("crouch to 15 centimetres", ("torso_height",), "height", 0.15),
        ("nose up 20 deg", ("torso_pitch",), "angle", math.radians(20)),
        ("pitch down by 15 degrees", ("torso_pitch",), "angle", -math.radians(15)),
        ("lean to your right 10 degrees", ("torso_roll",), "angle", math.radians(10)),
        ("lie on your left side", ("torso_roll",), "angle", -math.pi / 2),
        ("rotate clockwise at 1 rad/s", ("torso_turn_rate",), "rate", -1.0),
        ("spin left at 90 deg/s", ("torso_turn_rate",), "rate", math.pi / 2),
        ("bring the front left paw inwards by 4 cm", ("foot_inward", "front_left"), "offset", 0.04),
        ("stretch back right leg outward 6 cm", ("foot_inward", "rear_right"), "offset", -0.06),
        ("tap your rear left paw at 3 Hz", ("foot_stepping", "rear_left"), "frequency", 3.0),
        ("march on the spot, 2 steps per second", ("foot_stepping", "rear_left"), "frequency", 2.0),
    ],
)  # fmt: skip
def test_amounts_for_the_quadruped(
    sentence: str, term: tuple[str, ...], parameter: str, value: float
) -> None:
    assert values(say("quadruped", sentence))[term][parameter] == pytest.approx(value)


@pytest.mark.parametrize(
    ("sentence", "term", "parameter", "value"),
    [
        ("lift the box half a metre up", ("object_height", "box"), "height", 0.5),
        ("hoist the bowl to 0.4 m, palm down", ("object_height", "bowl"), "height", 0.4),
        ("open the drawer half way", ("joint_fraction", "drawer"), "fraction", 0.5),
        ("turn on the tap", ("joint_fraction", "faucet"), "fraction", 1.0),
        ("faucet off", ("joint_fraction", "faucet"), "fraction", 0.0),
        ("shut the drawer by 75 percent", ("joint_fraction", "drawer"), "fraction", 0.25),
        ("put the apple into the bowl", ("distance", "apple", "bowl"), "distance", 0.0),
        ("keep your hand 10 cm away from the bowl", ("distance", "palm", "bowl"), "distance", 0.1),
        ("turn the box upside down then lift it 20 cm", ("object_height", "box"), "height", 0.2),
        ("make a fist", ("hand_closure",), "fraction", 1.0),
    ],
)
def test_amounts_for_the_arm(
    sentence: str, term: tuple[str, ...], parameter: str, value: float
) -> None:
    assert values(say("fr3-hand", sentence))[term][parameter] == pytest.approx(value)


@pytest.mark.parametrize(
    ("sentences", "term", "parameter", "value"),
    [
        (("lift the front right paw", "to 25 cm"), ("foot_lift", "front_right"), "height", 0.25),
        (("lift the front right paw", "no, the left one"),
         ("foot_lift", "front_left"), "height", 0.14),
        (("lift the front right paw", "the other paw instead"),
         ("foot_lift", "front_left"), "height", 0.14),
        (("lift the front right paw", "lower"), ("foot_lift", "front_right"), "height", 0.05),
        (("spin left at 1 rad/s", "twice as fast"), ("torso_turn_rate",), "rate", 2.0),
        (("spin left at 1 rad/s", "other direction"), ("torso_turn_rate",), "rate", -1.0),
        (("walk forward at 0.4 m/s", "not so fast"), ("torso_velocity",), "forward", 0.4 / 1.5),
        (("turn left 45 degrees", "right, not left"), ("torso_heading",), "angle", -math.pi / 4),
        (("face north", "a bit to the left"), ("torso_heading",), "angle", math.pi / 2 + 0.26),
        (("walk forward", "a bit to the left"), ("torso_velocity",), "left", 0.1),
        (("stand up", "a bit lower"), ("torso_height",), "height", 0.22),
        (("sit down", "keep that and also lift the left front paw"),
         ("foot_lift", "front_left"), "height", 0.14),
        (("lift the front right paw", "keep that and also lift the left paw"),
         ("foot_lift", "front_left"), "height", 0.14),
    ],
)  # fmt: skip
def test_corrections_of_the_quadruped(
    sentences: tuple[str, ...], term: tuple[str, ...], parameter: str, value: float
) -> None:
    assert values(say("quadruped", *sentences))[term][parameter] == pytest.approx(value)


def test_also_keeps_what_was_there() -> None:
    both = values(say("quadruped", "lift the front right paw", "also lift the rear left paw"))
    assert both["foot_lift", "front_right"]["height"] == 0.14
    assert both["foot_lift", "rear_left"]["height"] == 0.14
    assert both["foot_lift", "front_left"]["height"] == 0.0


def test_corrections_of_the_arm() -> None:
    assert values(say("fr3-hand", "lift the apple to 0.3 m", "higher"))[
        "object_height", "apple"
    ] == {"height": pytest.approx(0.4)}
    bowl = say("fr3-hand", "lift the apple to 0.3 m", "now the bowl")
    assert bowl.stages == say("fr3-hand", "lift the bowl to 0.3 m").stages
    closed = values(say("fr3-hand", "open the drawer", "close it again"))
    assert closed["joint_fraction", "drawer"]["fraction"] == 0.0


def test_then_makes_stages_and_notes_their_length() -> None:
    program = say("quadruped", "lift front left for 2 seconds and then the rear right")
    assert [s.duration_s for s in program.stages] == [2.0, None]
    assert values(program)["foot_lift", "rear_right"]["height"] == 0.14
    unsaid = say("quadruped", "sit down, then stand up")
    assert unsaid.stages[0].duration_s == 3.0
    assert any("3 s" in note for note in unsaid.notes)


@pytest.mark.parametrize(
    ("sentence", "term", "parameter", "value"),
    [
        ("trot backwards nice and slow", ("torso_velocity",), "forward", -0.15),
        ("bound ahead really quickly", ("torso_velocity",), "forward", 0.6),
        ("jog at a quarter of the usual speed", ("torso_velocity",), "forward", 0.1),
        ("walk as slowly as you can", ("torso_velocity",), "forward", 0.1),
        ("carefully walk forward at 0.3 m/s", ("torso_velocity",), "forward", 0.3),
        ("back away!", ("torso_velocity",), "forward", -0.3),
        ("bear right", ("torso_turn_rate",), "rate", -0.4),
        ("turn a little to the left while you keep walking", ("torso_turn_rate",), "rate", 0.25),
        ("spin round on the spot, anti-clockwise", ("torso_turn_rate",), "rate", 2.5),
        ("look the other way", ("torso_heading",), "angle", math.pi),
        ("turn right", ("torso_heading",), "angle", -math.pi / 2),
        ("take four steps forward", ("torso_position",), "x", 0.64),
        ("take a step back", ("torso_position",), "x", -0.12),
        ("hold up your hind left leg and balance on the other three",
         ("foot_lift", "rear_left"), "height", 0.14),
        ("stand on three legs with the rear right foot up", ("foot_lift", "rear_right"), "height",
         0.14),
        ("offer me your left paw", ("foot_lift", "front_left"), "height", 0.14),
        ("don't move an inch", ("torso_height",), "height", 0.27),
        ("lie down flat on your belly", ("torso_height",), "height", 0.12),
        ("rise", ("torso_height",), "height", 0.27),
    ],
)  # fmt: skip
def test_free_words_for_the_quadruped(
    sentence: str, term: tuple[str, ...], parameter: str, value: float
) -> None:
    program = say("quadruped", sentence)
    assert len(program.stages) == 1
    assert values(program)[term][parameter] == pytest.approx(value)
    lifted = [t for t in program.stages[0].terms if t.name == "foot_lift"]
    assert sum(t.parameters["height"] != 0.0 for t in lifted) <= 1, "three feet stay down"


def test_ways_and_turns_follow_from_each_other() -> None:
    for joined in (" and ", ", then ", ", "):
        parts = ("walk forward 1 m", "turn left by 90 degrees", "walk forward 2 m")
        program = say("quadruped", joined.join(parts))
        assert len(program.stages) == 3
        assert values(program, 1)["torso_heading",]["angle"] == pytest.approx(math.pi / 2)
        end = values(program, 2)["torso_position",]
        assert (end["x"], end["y"]) == pytest.approx((1.0, 2.0))
        assert program.stages[0].duration_s == pytest.approx(1.0 / 0.4 + 2.0)
    once = say("quadruped", "turn around and face the other way")
    assert len(once.stages) == 1, "that is one turn, not two"


def test_amounts_take_the_time_that_their_speed_takes() -> None:
    slow = say("quadruped", "walk two metres slowly")
    assert values(slow)["torso_velocity",]["forward"] == 0.2
    assert slow.stages[0].duration_s == pytest.approx(10.25)
    round_ = say("quadruped", "rotate 360 degrees clockwise")
    rate = values(round_)["torso_turn_rate",]["rate"]
    assert rate < 0 and -rate * (round_.stages[0].duration_s - 0.25) == pytest.approx(
        6.28, abs=0.02
    )
    assert any("take" in note for note in round_.notes)


def test_in_a_conversation_amounts_count_from_where_the_robot_is() -> None:
    again = say("quadruped", "walk forward 1 m", "turn left 90 degrees", "walk forward 1 m")
    assert values(again)["torso_velocity",]["forward"] == pytest.approx(0.4)
    assert again.stages[0].duration_s == pytest.approx(2.75)
    assert not any(t.name == "torso_position" for t in again.stages[0].terms)


@pytest.mark.parametrize(
    ("sentence", "term", "parameter", "value"),
    [
        ("hold the box up in the air, 25 cm above the table", ("object_height", "box"), "height",
         0.25),
        ("keep the apple 35 cm above the table", ("object_height", "apple"), "height", 0.35),
        ("grab the apple and hold it above the cup", ("distance", "apple", "cup"), "distance",
         0.15),
        ("rest the box on top of the bowl", ("distance", "box", "bowl"), "distance", 0.08),
        ("toss the apple into the bowl", ("distance", "apple", "bowl"), "distance", 0.0),
        ("move your hand close to the bowl", ("distance", "palm", "bowl"), "distance", 0.0),
    ],
)  # fmt: skip
def test_free_words_for_the_arm(
    sentence: str, term: tuple[str, ...], parameter: str, value: float
) -> None:
    assert values(say("fr3-hand", sentence))[term][parameter] == pytest.approx(value)


def test_what_is_held_over_stays_in_the_hand_and_what_is_put_on_is_let_go() -> None:
    held = values(say("fr3-hand", "take the apple and hold it over the box"))
    put = values(say("fr3-hand", "put the apple on the box"))
    assert held["hand_closure",]["fraction"] == 1.0 and put["hand_closure",]["fraction"] == 0.0
    assert held["object_height", "apple"]["height"] == pytest.approx(
        0.04 + held["distance", "apple", "box"]["distance"]
    ), "as far from it as higher than it: straight above"


def test_gently_lets_rest_count_for_more() -> None:
    plain, gentle = (say("fr3-hand", f"lift the cup{how}") for how in ("", ", gently"))

    def weight(program: RewardProgram) -> float:
        return sum(t.weight for t in program.stages[-1].terms if t.name == "stillness")

    assert weight(gentle) == pytest.approx(4 * weight(plain))
    assert any("slowly" in note for note in gentle.notes)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("shove the box 5 cm to the right", "where on the table"),
        ("move the cup away from the bowl", "where on the table"),
        ("store the apple in the drawer", "inside a drawer"),
        ("open the drawer, then drop the cup into it", "inside a drawer"),
        ("tip over the cup", "toppled"),
        ("shake the cup", "no reward says so"),
        ("put the cup on the cup", "named twice"),
    ],
)
def test_what_no_reward_says_is_refused_with_the_reason(sentence: str, reason: str) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        say("fr3-hand", sentence)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("fly over the fence", "stays on the ground"),
        ("fetch my slippers", "nothing to take things with"),
        ("wag your tail", "no tail"),
        ("come to me", "does not see"),
        ("turn around and walk back", "backwards, or the way it came"),
        ("lift your left leg", "which paw"),
        ("walk forward slowly and quickly", "two different speeds"),
        ("nice and slow", "not what to do"),
        ("do not turn left", "do not turn left"),
        ("walk forward but never turn", "never turn"),
    ],
)
def test_what_the_quadruped_cannot_do_is_refused_with_the_reason(
    sentence: str, reason: str
) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        say("quadruped", sentence)
    assert reason in str(refusal.value)


def test_a_scene_brings_its_own_objects_and_joints() -> None:
    words = arm_vocabulary(("duck", "kettle"), ("cabinet_handle",), ("cabinet",))
    opened = values(say("fr3-hand", "pull the cabinet open", vocabulary=words))
    assert opened["joint_fraction", "cabinet"]["fraction"] == 1.0
    lifted = values(say("fr3-hand", "lift the kettle 25 cm off the table", vocabulary=words))
    assert lifted["object_height", "kettle"]["height"] == 0.25
    with pytest.raises(NotUnderstoodError, match="faucet"):
        say("fr3-hand", "turn on the faucet", vocabulary=words)


@pytest.mark.parametrize(
    ("robot", "sentences", "reason"),
    [
        ("quadruped", ("lift a paw",), "which paw"),
        ("quadruped", ("stand 3 meters tall",), "out of range"),
        ("quadruped", ("run at 60 km/h",), "out of range"),
        ("quadruped", ("sit down and bark",), "bark"),
        ("quadruped", ("what's your name?",), "name"),
        ("quadruped", ("spin left and spin right",), "two different things"),
        ("quadruped", ("stand up", "faster"), "faster"),
        ("quadruped", ("walk forward", "the diagonal paw instead"), "one paw"),
        ("fr3-hand", ("lift the banana",), "banana"),
        ("fr3-hand", ("lift the cup to 5 m",), "out of range"),
        ("fr3-hand", ("move the cup to the cup",), "named twice"),
        ("fr3-hand", ("lift the cup and sing",), "sing"),
        ("fr3-hand", ("lift it",), "lift it"),
    ],
)
def test_refusals_say_why(robot: str, sentences: tuple[str, ...], reason: str) -> None:
    with pytest.raises(NotUnderstoodError) as refusal:
        say(robot, *sentences)
    first = refusal.value.diagnostics[0]
    assert reason in str(first) and first.hint


WORDS = (
    "lift the front left right rear paw paws spin turn walk forward sit down stand up on two back "
    "roll over by to at 20 cm 3 m 90 degrees 1 m/s rad/s hz s % for and then also keep that higher "
    "lower faster not so other one it apple bowl drawer faucet open close hand half way , . !"
).split()


@pytest.mark.parametrize("robot", ["quadruped", "fr3-hand"])
@settings(max_examples=300, deadline=None)
@given(words=st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=3))
def test_word_salad_is_translated_or_refused(robot: str, words: list[list[str]]) -> None:
    rules, memory = RewardRules(SPEECHES[robot]), Conversation()
    for sentence in map(" ".join, words):
        try:
            program = rules.translate(sentence, memory, SPEC)
        except NotUnderstoodError as refusal:
            assert refusal.diagnostics
            continue
        assert check(program, rules.words) == ()
        memory = memory.told(sentence, program)
