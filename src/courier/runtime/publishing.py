"""When what was committed is published: after each run; of a run of many couriers, now and then."""

from __future__ import annotations

from courier import __version__, clock
from courier.runtime.context import Context
from courier.runtime.events import Noticed, Publishing, Reporter, RunPublished
from courier.runtime.pace import Pace
from courier.storage import warehouse
from courier.storage.load import Committed
from courier.storage.spanning import settle_late


def publish_changes(context: Context, reporter: Reporter, committed: Committed | None = None) -> None:
    """Publish what was committed since the last publish, and say what was found beside the published file.

    committed: what this process committed last, under the lock that it still holds.
    """
    replaced = []

    def before_replacing() -> None:
        replaced.append(True)
        reporter(Publishing)

    last_changed = committed.last_change if committed else None
    for warning in warehouse.publish_if_behind(context.place.warehouse, before_replacing, last_changed):
        reporter(Noticed, note=warning)
    if replaced:
        reporter(RunPublished, path=context.place.files.published.name)


def publish_for_all(pace: Pace, context: Context, reporter: Reporter) -> None:
    """What all couriers of a run have committed, with the views that span their schemas.

    In Postgres it is only for these views: the rest is there for everybody since it was committed.
    """
    begun = clock.now()
    fleets = tuple(context.project.fleets.values())
    with warehouse.lock(context.place.warehouse):
        settle_late(context.place.warehouse, context.project.tags, __version__, fleets)
        publish_changes(context, reporter)
    pace.published(begun)
