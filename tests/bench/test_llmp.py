from __future__ import annotations

import json
from pathlib import Path

import pytest

from embodied.bench.benchmark import main, measure, show
from embodied.bench.llmp import suite as llmp
from embodied.bench.llmp.data import audit, load
from embodied.bench.llmp.suite import BENCHMARK, Settings, build_report
from embodied.errors import ConfigurationError, ModelTimeoutError
from embodied.protocols import Request, Response

DOMAIN = """(define (domain blocks) (:predicates (on ?a ?b) (table ?a) (clear ?a))
  (:action lift :parameters (?a ?b) :precondition (and (on ?a ?b) (clear ?a))
    :effect (and (table ?a) (clear ?b) (not (on ?a ?b))))
  (:action put :parameters (?a ?b) :precondition (and (table ?a) (clear ?a) (clear ?b))
    :effect (and (on ?a ?b) (not (table ?a)) (not (clear ?b)))))
"""


def _problem(init: str, goal: str, objects: str = "b1 b2") -> str:
    return (
        f"(define (problem p) (:domain blocks) (:objects {objects}) (:init {init}) (:goal {goal}))"
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four problems: sound, unsolvable, malformed, without a text."""
    folder = tmp_path / "data" / "blocks"
    folder.mkdir(parents=True)
    (folder / "domain.pddl").write_text(DOMAIN)
    (folder / "domain.nl").write_text("You can lift and put blocks.")
    stacked = "(on b1 b2) (table b2) (clear b1)"
    files = {
        "p_example.nl": "b1 is on b2. b1 should be on the table.",
        "p_example.pddl": _problem(stacked, "(table b1)"),
        "p_example.sol": "Lift b1 off b2.",
        "p01.nl": "b1 is on b2. b2 should be on b1.",
        "p01.pddl": _problem(stacked, "(on b2 b1)"),
        "p02.nl": "b1 is on b2. b1 should be on b1.",
        "p02.pddl": _problem(stacked, "(and (on b1 b2) (on b2 b1))"),
        "p03.nl": "b1 is on b2. b3 is there too.",
        "p03.pddl": _problem(stacked, "(on b3 b1)"),
        "p04.pddl": _problem(stacked, "(on b1 b2)"),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return tmp_path / "data"


def run_llmp(data: Path, out: Path, **options: object) -> int:
    settings = Settings(data=data, **options)  # pyright: ignore[reportArgumentType]
    rows = measure(BENCHMARK, settings, out, executor="serial", progress=False)
    return show(BENCHMARK, settings, rows, out)


def _results(out: Path) -> dict[str, dict[str, object]]:
    lines = (out / "results.jsonl").read_text().splitlines()
    return {r["id"]: r for r in map(json.loads, lines)}


def test_the_oracle_plans_and_the_report_hides_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_llmp(data, out) == 0
    results = _results(out)
    assert [r["status"] for r in results.values()] == [
        *("solved", "unsolvable", "malformed", "solved")
    ]
    first = results["oracle/blocks/p01"]
    assert (first["valid"], first["cost"]) == (True, 2.0)
    assert first["plan"] == ["(lift b1 b2)", "(put b2 b1)"]
    text = capsys.readouterr().out
    assert "2/4" in text
    assert "oracle/blocks/p03: malformed" in text
    assert "undeclared object 'b3'" in text
    assert "p04.nl: missing" in text
    assert "p04.pddl: the goal holds in the initial state" in text
    assert text == (out / "report.md").read_text()


def test_json_output_is_one_json_document(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(
        BENCHMARK,
        ["--data", str(data), "--out", str(tmp_path / "o"), "--executor", "serial", "--json"],
    )
    report = json.loads(capsys.readouterr().out)
    assert report["rows"][-1] | {"wall_s": 0} == {
        "method": "oracle",
        "domain": "all",
        "tasks": 4,
        "solved": 2,
        "rate": "2/4 (15-85%)",
        "equivalent": None,
        "cost_ratio": 1.0,
        "wall_s": 0,
    }
    assert [u["id"] for u in report["unsolved"]] == ["oracle/blocks/p02", "oracle/blocks/p03"]


class _Scripted:
    """A model that answers the planner prompt for one problem and is down for the next."""

    name = "scripted"

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def complete(self, request: Request) -> Response:
        self.requests.append(request)
        if "b1 should be on b1" in request.messages[-1].text:
            raise ModelTimeoutError("no answer within 1 s")
        return Response(text=self.answer)


def test_a_part_of_the_problems_is_no_gap(data: Path) -> None:
    (data / "blocks" / "p12.pddl").write_text((data / "blocks" / "p01.pddl").read_text())
    (data / "blocks" / "p01.pddl").unlink()
    (data / "blocks" / "p01.nl").unlink()
    assert [i.name for i in load(data)] == ["p02", "p03", "p04", "p12"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("Sure!\n(lift b1 b2)\n(put b2 b1)", "solved"),
        ("(put b2 b1)", "invalid"),
        ("I cannot do that.", "bad text"),
    ],
)
def test_the_model_as_planner_is_validated(
    answer: str,
    status: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = _Scripted(answer)
    monkeypatch.setattr(llmp, "asked_model", lambda payload: model)
    out = tmp_path / "out"
    code = run_llmp(data, out, method=("llm",), model="x:y")
    results = _results(out)
    assert code == 3  # the model was down for p02
    assert results["llm/blocks/p01"]["status"] == status
    assert results["llm/blocks/p01"]["valid"] == (status == "solved")
    assert "ModelTimeoutError" in str(results["llm/blocks/p02"]["error"])
    assert results["llm/blocks/p02"]["status"] == "unanswered"
    said = capsys.readouterr().out
    assert "1 of 4 cases are left out" in said and "llm/blocks/p02: unanswered" not in said
    assert results["llm/blocks/p04"]["status"] == "missing"
    prompt = model.requests[0].messages[-1].text
    assert "Lift b1 off b2." in prompt
    assert "(:action lift" in prompt
    assert "The plan names the objects so: b1, b2." in prompt


def test_written_problems_are_judged_by_the_published_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Solvable is not enough: an easier problem gives a plan that fails on the true one."""
    written = {
        True: _problem("(on b1 b2) (table b2) (clear b1)", "(on b2 b1)"),
        False: _problem("(table b1) (table b2) (clear b1) (clear b2)", "(on b2 b1)"),
    }

    class Writer:
        """Answers with the problem it should, depending on whether it was shown the example."""

        name = "writer"

        def complete(self, request: Request) -> Response:
            return Response(text=written["An example" in request.messages[-1].text])

    monkeypatch.setattr(llmp, "asked_model", lambda payload: Writer())
    out = tmp_path / "out"
    methods = ("llm+p", "llm+p-no-example")
    run_llmp(data, out, method=methods, model="x:y")
    good, bad = (_results(out)[f"{m}/blocks/p01"] for m in methods)
    assert (good["status"], good["equivalent"], good["differences"]) == ("solved", True, [])
    assert (bad["status"], bad["equivalent"]) == ("invalid", False)
    assert "init: extra (table b1)" in bad["differences"]  # pyright: ignore
    assert "on the published problem" in str(bad["message"])


@pytest.mark.parametrize(
    ("renamed", "equivalent"),
    [
        (_problem("(on top low) (table low) (clear top)", "(on low top)", "low top"), True),
        (_problem("(on b2 b1) (table b1) (clear b2)", "(on b1 b2)"), True),
        (_problem("(on top low) (table low) (clear top)", "(table top)", "low top"), False),
    ],
    ids=["other names", "swapped names", "another problem"],
)
def test_plans_are_judged_with_the_names_of_the_published_problem(
    renamed: str, equivalent: bool, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Writer:
        """Writes one problem, whatever it is asked."""

        name = "writer"

        def complete(self, request: Request) -> Response:
            return Response(text=renamed)

    monkeypatch.setattr(llmp, "asked_model", lambda payload: Writer())
    run_llmp(data, tmp_path / "out", method=("llm+p",), model="x:y")
    row = _results(tmp_path / "out")["llm+p/blocks/p01"]
    assert (row["equivalent"], row["valid"]) == (equivalent, equivalent)
    if equivalent:
        assert row["plan"] == ["(lift b1 b2)", "(put b2 b1)"]


def test_a_part_of_the_folder_is_all_there_is(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data / "blocks"
    for name in ("p01.nl", "p01.pddl", "p02.nl", "p02.pddl", "p03.pddl"):
        (folder / name).unlink()
    assert [i.name for i in load(data)] == ["p03", "p04"]
    run_llmp(data, tmp_path / "out")
    text = capsys.readouterr().out
    assert "1/1" in text and "oracle/blocks/p03: missing" in text


def test_cost_ratios_compare_with_the_best_known_plan() -> None:
    def row(method: str, cost: float) -> dict[str, object]:
        return {
            "id": f"{method}/d/p01",
            "method": method,
            "domain": "d",
            "problem": "p01",
            "status": "solved",
            "valid": True,
            "cost": cost,
        }

    report = build_report([row("oracle", 12.0), row("anytime", 8.0)], [])
    assert [(r["method"], r["cost_ratio"]) for r in report["rows"] if r["domain"] == "d"] == [
        ("oracle", 1.5),
        ("anytime", 1.0),
    ]


def test_bad_calls_name_what_is_legal(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Choose from: oracle"):
        run_llmp(data, tmp_path, method=("magic",))
    with pytest.raises(ConfigurationError, match="needs a model"):
        run_llmp(data, tmp_path, method=("llm",))
    with pytest.raises(ConfigurationError, match="domains: blocks"):
        run_llmp(data, tmp_path, domain=("chess",))
    with pytest.raises(ConfigurationError, match=r"no <domain>/domain.pddl|holds no"):
        run_llmp(tmp_path / "nowhere", tmp_path)


def test_the_published_data_is_complete_and_its_faults_are_named(benchmark_data: Path) -> None:
    instances = load(benchmark_data / "llm-pddl")
    assert len(instances) == 70
    found = "\n".join(audit(instances))
    for fault in (
        "floortile/p_example.pddl: problem, line 14: undeclared object 'robot2'",
        "grippers/domain.pddl: domain, line 3: type 'object' is built in",
        "storage/domain.pddl: domain, line 9: type 'area' is declared 2 times",
        "tyreworld/domain.pddl: domain, line 50: undeclared object 'wrench'",
        "blocksworld/p01.pddl: the goal holds in the initial state",
    ):
        assert fault in found


def test_oracle_on_published_problems(benchmark_data: Path, tmp_path: Path) -> None:
    code = run_llmp(
        benchmark_data / "llm-pddl",
        tmp_path,
        domain=("blocksworld", "grippers", "tyreworld"),
        plan_time=20.0,
    )
    results = _results(tmp_path)
    assert code == 0
    assert len(results) == 30
    assert all(r["valid"] for r in results.values())
