"""A courier as a multi-asset: an asset per domain table, and one that stands for the courier's runs.

What comes after a courier depends on the latter: it is there too when an optional courier has failed.
"""

# Without `annotations` from the future: Dagster compares the annotation of `context`, and a text is none.

from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    Backoff,
    Failure,
    MaterializeResult,
    OpExecutionContext,
    RetryPolicy,
    multi_asset,
)

from courier.config.activation import Activation
from courier.config.project import Courier, SecretRef
from courier.engines.dagster.home import Home, Step, key_of, plain, runs_key
from courier.engines.dagster.told import (
    check_specs,
    feed_metadata,
    fresh_check,
    reconciled_check,
    result_metadata,
    table_spec,
    tags_check,
)
from courier.errors import CourierError, WarehouseUnreachable
from courier.runtime.courier_run import run_courier
from courier.runtime.result import CourierResult
from courier.storage import ledger

RETRIES = RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL)
"""For what is no result of the courier: a lost connection to the warehouse, a disk that is away. A source that is away
is waited for by the courier itself, as long as its `wait` says."""


def courier_assets(home: Home, courier: Courier) -> AssetsDefinition:
    tables = [table_spec(courier, feed) for feed in courier.feeds]
    runs = AssetSpec(
        runs_key(courier.name), deps=[table.key for table in tables], group_name=courier.name, skippable=True,
        kinds={courier.connector}, description=f"Runs of the courier. {courier.path}",
    )  # fmt: skip

    @multi_asset(
        name=f"courier_{plain(courier.name)}", specs=[*tables, runs], check_specs=check_specs(courier), can_subset=True,
        pool=pool_of(courier.connector, courier), retry_policy=RETRIES,
    )  # fmt: skip
    def course(context: AssetExecutionContext) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        chosen = [feed.name for feed in courier.feeds if key_of(courier.name, feed.name) in context.selected_asset_keys]
        step = Step.of(home, context.op_execution_context)
        result = run_step(step, courier, chosen if len(chosen) < len(courier.feeds) else ())
        asked = {*context.selected_asset_keys}
        yield from (one for one in materialised(home, courier, result) if one.asset_key in asked)
        checks = checked(home, courier, result)
        yield from (one for one in checks if one.asset_key in asked)

    return course


def pool_of(kind: str, opened: Courier | Activation) -> str:
    """Named by what tells one store from another, without its value: it may be a secret."""
    store = next(one for key, one in opened.credential.items() if key in ("store", "store_hash", "api_key"))
    return f"{kind}/{store.name if isinstance(store, SecretRef) else store}"


def run_step(step: Step, courier: Courier, feeds: Sequence[str] = ()) -> CourierResult:
    """The courier's run. Raises Failure unless it succeeded or is optional in the group; for a courier's own failure it
    is not tried again."""
    result = _ended(step, courier, feeds)
    if result.result != "succeeded":
        step.context.log.error(f"courier {courier.name}: {result.problem}; {result.fix}")
        if step.is_required(courier):
            step.context.log_event(AssetObservation(runs_key(courier.name), metadata=result_metadata(result)))
            raise Failure(f"{result.problem}; {result.fix}", allow_retries=result.again)
    return result


def _ended(step: Step, courier: Courier, feeds: Sequence[str]) -> CourierResult:
    if blocked := step.blocked():
        raise Failure(f"blocked: {blocked[0]}; {blocked[1]}", allow_retries=False)
    try:
        with step.working(couriers=[courier.name]) as working:
            return run_courier(working, step.intention(courier, feeds))
    except CourierError as error:
        again = isinstance(error, WarehouseUnreachable)
        return CourierResult(courier.name, "", "failed", problem=error.message, fix=error.fix, again=again)


def materialised(home: Home, courier: Courier, result: CourierResult) -> Iterator[MaterializeResult[None]]:
    """The tables that the run was about, if it committed; then the run itself."""
    loaded = [one for one in result.feeds if result.result == "succeeded" and not one.skipped]
    rows = ledger.row_counts(home.place.warehouse, courier.name, [one.feed for one in loaded])
    for one in loaded:
        metadata = feed_metadata(result, one, rows.get(one.feed))
        yield MaterializeResult(asset_key=key_of(courier.name, one.feed), metadata=metadata)
    yield MaterializeResult(asset_key=runs_key(courier.name), metadata=result_metadata(result))


def checked(home: Home, courier: Courier, result: CourierResult) -> Iterator[AssetCheckResult]:
    yield from (reconciled_check(courier, one) for one in result.feeds if not one.skipped)
    yield fresh_check(home, courier)
    yield from tags_check(home, courier, result)


def log_materialised(context: OpExecutionContext, results: Iterator[MaterializeResult[None]]) -> None:
    """The same in a step that is no asset's: days are partitions of a job, not of tables."""
    for one in results:
        assert one.asset_key is not None
        context.log_event(AssetMaterialization(one.asset_key, metadata=one.metadata))
