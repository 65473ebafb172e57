"""Units of a batch on a Ray cluster; the only place that knows Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from voicelane.base.errors import ConfigError
from voicelane.batch.unit import Outcome, Unit, analyse, outcome_from

TRIES = 4


def run_on_ray(units: Sequence[Unit], settings: str, address: str) -> Iterator[Outcome]:
    """The outcome of every unit, as they come.

    `address` is `local` for a cluster of this machine alone, `auto` for the one that it belongs to, or that
    of a cluster's head.

    Every node needs voicelane installed and the recordings under the same paths. What a node was at when it
    died is done by another one.
    """
    ray = _ray()
    try:
        ray.init(address=None if address == "local" else address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError) as problem:
        raise ConfigError(
            f"--ray {address}: no Ray cluster answers there ({problem}); start one with `ray start --head`, "
            "or take `--ray local`"
        ) from None
    try:
        work = ray.remote(num_cpus=1, max_retries=TRIES - 1)(analyse)
        shared = ray.put(settings)
        units_of = {work.remote(shared, unit.name, unit.path): unit for unit in units}
        while units_of:
            (done, *_), _ = ray.wait(list(units_of), num_returns=1)
            yield _outcome(ray, done, units_of.pop(done))
    finally:
        ray.shutdown()


def _outcome(ray: Any, reference: Any, unit: Unit) -> Outcome:
    try:
        return outcome_from(ray.get(reference))
    except ray.exceptions.RayError as problem:
        reason = str(problem).strip().splitlines()[-1]
        return Outcome(unit, problem=f"{unit.path}: no node of the cluster could analyse it ({reason})")


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise ConfigError('--ray needs Ray: pip install "voicelane[ray]", on every node') from None
    return ray
