from __future__ import annotations

from embodied_controllers.mpc.arm_models import ARM_DQ_MAX, arm_spec

from embodied.protocols import World
from embodied.types import ObjectSpec
from embodied.world.contract import WorldContract
from embodied.world.mpc_world import MpcWorld, spec_of


class TestArmWorld(WorldContract):
    def make_world(self) -> World:
        model = arm_spec(("apple", "drawer", "faucet")).compile()
        spec = spec_of(
            model,
            name="table",
            robot="arm",
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
