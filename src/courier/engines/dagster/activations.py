"""An activation as an asset downstream of the couriers of the groups that have it."""

# Without `annotations` from the future: Dagster compares the annotation of `context`, and a text is none.

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetsDefinition, Failure, MaterializeResult, MetadataValue, asset

from courier.engines.dagster.assets import pool_of
from courier.engines.dagster.home import Home, Metadata, Step, runs_key
from courier.runtime.group_activations import activated


def activation_assets(home: Home) -> Iterator[AssetsDefinition]:
    """Of those that some group has; the others are run by hand, `courier activate`."""
    groups = home.project.groups.values()
    for place, name in enumerate(dict.fromkeys(name for group in groups for name in group.activations)):
        before = {one.name: None for group in groups if name in group.activations for one in group.couriers}
        yield _asset(home, name, list(before), place)


def _asset(home: Home, name: str, couriers: list[str], place: int) -> AssetsDefinition:
    activation = home.project.activations[name]

    # One after another, in the order of the groups: the pool lets one through, the priority says which.
    @asset(
        key=["activation", name], deps=[runs_key(courier) for courier in couriers], kinds={activation.surface},
        pool=pool_of("mavera", activation), op_tags={"dagster/priority": str(-place)}, group_name="activations",
        description=f"{activation.path}, {activation.sql_path}",
    )  # fmt: skip
    def course(context: AssetExecutionContext) -> MaterializeResult[None]:
        return MaterializeResult(metadata=activate_step(Step.of(home, context.op_execution_context), name))

    return course


def activate_step(step: Step, name: str) -> Metadata:
    """What came of it, as metadata. Raises Failure, which is not tried again: an answer may have been paid for."""
    if step.group is not None:
        step.committed()
    with step.working(activations=[name]) as working:
        result = activated(working, name, step.context.run_id)
    told = {"result": result.result, "credits": result.credits, "report": MetadataValue.json(result.as_json())}
    if result.is_bad:
        raise Failure(f"activation {name}: {result.problem}; {result.fix}", told, allow_retries=False)
    return told
