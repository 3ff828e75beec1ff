"""Totals of a rehearsal, and what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from embodied.bench.report import rate, wilson_interval
from embodied.bench.runner import Row

NOT_SHOWN = (
    "A rehearsal shows that driver, cameras' interface, perception, planning and safety filter work"
    " together on this project's emulators. It does not show how a real arm tracks, how a real"
    " gripper holds, real images (rendered colours, Gaussian depth noise, no reflections, no motion"
    " blur, ideal lenses), clocks of other machines, or that people are safe: a hand that passes is"
    " seen, but cannot be touched. Objects are those of the scene file, exact in size."
)
STEPPED = "Stepped: the emulated arm's time passed with set-points only, never late."


def totals(rows: Sequence[Row]) -> dict[str, object]:
    """Counts and 95% Wilson intervals over finished episodes."""
    done = [r for r in rows if r.get("status") == "finished"]
    n = len(done)
    reached = sum(bool(r["reached"]) for r in done)
    quiet = [r for r in done if not r["claimed"]]
    seconds = [float(r["bridge_s"]) for r in done]
    return {
        "episodes": len(rows),
        "finished": n,
        "errors": len(rows) - n,
        "reached": reached,
        "reached_interval": [round(x, 3) for x in wilson_interval(reached, n)],
        "claimed": n - len(quiet),
        "denied": sum(bool(r["denied"]) for r in done),
        "denied_interval": [
            round(x, 3) for x in wilson_interval(sum(bool(r["denied"]) for r in done), n)
        ],
        "unclaimed_but_reached": sum(bool(r["reached"]) for r in quiet),
        "refused_before_moving": sum(not r["moved"] for r in quiet),
        "median_bridge_s": round(median(seconds), 1) if seconds else None,
    }


def exit_code(rows: Sequence[Row]) -> int:
    """0: all as it should be; 1: not; 3: an episode could not be made.

    Every verdict must agree with the hidden truth where it claims success, and every sentence must
    be reached; where a fault was injected, to stop without a claim is as good.
    """
    if any(r.get("status") != "finished" for r in rows):
        return 3
    good = (not r["denied"] and (bool(r["reached"]) or bool(r["fault"])) for r in rows)
    return 0 if all(good) else 1


def row_line(row: Row) -> str:
    """One episode in one line."""
    if row.get("status") != "finished":
        return f"{row['id']:>4}  error      {row.get('error', '')}"
    word = "DENIED" if row["denied"] else "reached" if row["reached"] else "missed"
    if not row["claimed"]:
        word = "unclaimed" if row["reached"] else "stopped" if row["moved"] else "refused"
    fault = f" [{row['fault']}]" if row["fault"] else ""
    why = "" if row["claimed"] else f": {row['message']}"
    return f"{row['id']:>4}  {word:9} {row['bridge_s']:6.1f} s  {row['sentence']}{fault}{why}"


def lines(rows: Sequence[Row], *, stepped: bool) -> list[str]:
    """The report for people."""
    sums = totals(rows)
    n = int(str(sums["finished"]))
    reached, denied = int(str(sums["reached"])), int(str(sums["denied"]))
    return [
        *map(row_line, rows),
        "",
        f"reached by the hidden truth   {rate(reached, n)}",
        f"claims that the truth denies  {rate(denied, n)}",
        f"refused before moving         {sums['refused_before_moving']}",
        f"reached, but not claimed      {sums['unclaimed_but_reached']}",
        f"median time of a sentence     {sums['median_bridge_s']} s",
        "",
        NOT_SHOWN,
        *([STEPPED] if stepped else []),
    ]
