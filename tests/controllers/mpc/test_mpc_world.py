from __future__ import annotations

from embodied_controllers.mpc.arm_models import ARM_DQ_MAX, arm_spec

from embodied.protocols import World
from embodied.types import Command, ObjectSpec
from embodied.world.contract import WorldContract
from embodied.world.mpc_world import MpcWorld, spec_of


class TestArmWorld(WorldContract):
    def make_world(self) -> World:
        model = arm_spec(("apple", "drawer", "faucet")).compile()
        spec = spec_of(
            model,
            name="table",
            robot="fr3-hand",
            control_dt_s=0.01,
            dq_max=ARM_DQ_MAX,
            objects={
                "apple": ObjectSpec(name="apple", kind="item", category="apple"),
                "drawer": ObjectSpec(name="drawer", kind="drawer", category="drawer"),
                "faucet": ObjectSpec(name="faucet", kind="drawer", category="faucet"),
            },
        )
        radii = {"faucet": 0.105}
        return MpcWorld(model, spec, sliders=("drawer",), hinge_radii_m=radii, ee_site="palm")


def test_a_joint_that_was_held_back_does_not_shoot_off() -> None:
    world = TestArmWorld().make_world()
    assert isinstance(world, MpcWorld)
    world.reset(seed=0)
    home, limit = world.spec.q_home, world.spec.dq_max[3]
    joint = int(world.model.joint("joint4").dofadr[0])
    target = home.copy()
    target[3] -= 0.8
    world.data.qfrc_applied[joint] = 1000.0  # something holds the elbow
    for _ in range(100):
        measured = world.step(Command(q=target)).observation
    assert abs(measured.q[3] - target[3]) > 0.5
    world.data.qfrc_applied[joint] = 0.0
    speeds = [abs(world.step(Command(q=target)).observation.dq[3]) for _ in range(60)]
    assert 0.5 * limit < max(speeds) < limit
    assert world.observe().q[3] < measured.q[3] - 0.6
    world.close()
