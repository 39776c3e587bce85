"""Interrupts an invocation at every call, and checks that the next scans keep every promise."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from chalicelib.usecases.context import Bounds
from chalicelib.usecases.run import run_scans
from tests.reliability.crashing import CRASHES, CrashPoint, Fuse, Moment, list_points
from tests.reliability.model import count_unrecorded_posts
from tests.reliability.stories import (
    LAMBDA,
    Story,
    find_broken_promises,
    invoke,
    make_monthly_story,
    make_scan_story,
    recover,
)

STORIES: dict[str, Callable[[], Story]] = {
    "scan": make_scan_story,
    "scan with marks": partial(make_scan_story, Bounds(unmarked_rows=0)),
    "month": make_monthly_story,
}
RecordProperty = Callable[[str, str], None]


def list_calls(make_story: Callable[[], Story]) -> list[str]:
    """Lists the calls of an invocation in which nothing goes wrong."""
    fuse = Fuse()
    invoke(make_story(), fuse)
    return fuse.calls


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize(
    ("what", "moments"), [("crash", CRASHES), ("fault", (Moment.FAILS, Moment.LOST))]
)
def test_a_crash_or_a_fault_at_any_call_loses_nothing_and_announces_nothing_twice(
    name: str, what: str, moments: Sequence[Moment], record_property: RecordProperty
) -> None:
    make_story = STORIES[name]
    points = list_points(list_calls(make_story), moments)
    broken: dict[CrashPoint, list[str]] = {}

    for point in points:
        story = make_story()
        posts_before = len(story.service.messages)
        fuse = Fuse(point)
        invoke(story, fuse)
        assert len(fuse.calls) >= point.call, point
        call = fuse.calls[point.call - 1]
        duplicates = count_unrecorded_posts(story.service)
        assert duplicates in {0, 1}
        assert not duplicates or fuse.is_dead or call == "channel.post"
        recover(story)
        if not fuse.is_dead and call == "snoozes.unsettled":
            # snoozes that cannot be read mute nothing
            story.silent = [title for title in story.silent if title != "snoozed"]
        found = find_broken_promises(story, posts_before, duplicates)
        if found:
            broken[point] = [call, *found]

    record_property("summary", f"{name}: all of {len(points)} {what} points tried")
    assert broken == {}


@pytest.mark.parametrize("name", STORIES)
def test_another_invocation_at_any_call_announces_everything_once(
    name: str, record_property: RecordProperty
) -> None:
    make_story = STORIES[name]
    calls = list_calls(make_story)
    broken: dict[int, list[str]] = {}

    for number in range(1, len(calls) + 1):
        story = make_story()
        posts_before = len(story.service.messages)

        def invoke_another(story: Story = story) -> None:
            context = story.service.context
            context.work.enqueue(story.job)
            run_scans(context, story.service.clock.now + LAMBDA)

        invoke(story, Fuse(meanwhile=(number, invoke_another)))
        recover(story)
        found = find_broken_promises(story, posts_before, duplicates=0)
        if found:
            broken[number] = [calls[number - 1], *found]

    record_property("summary", f"{name}: another invocation at each of {len(calls)} calls")
    assert broken == {}


@pytest.mark.parametrize("name", STORIES)
def test_an_invocation_that_nothing_interrupts_keeps_every_promise(name: str) -> None:
    story = STORIES[name]()
    posts_before = len(story.service.messages)

    invoke(story, Fuse())
    recover(story)

    assert find_broken_promises(story, posts_before, duplicates=0) == []
