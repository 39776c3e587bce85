"""Whatever comes between, the next passes make it good: every point, not a sample."""

from collections.abc import Callable, Sequence

import pytest

from chalicelib.usecases.run import run_scans
from tests.reliability.crashing import CRASHES, CrashPoint, Fuse, Moment, points
from tests.reliability.stories import (
    LAMBDA,
    Story,
    die,
    faults,
    monthly_story,
    recover,
    scan_story,
    unrecorded,
)

STORIES = [scan_story, monthly_story]
Tell = Callable[[str, str], None]


def calls_of(story_of: Callable[[], Story]) -> list[str]:
    """The calls of the invocation where nothing goes wrong."""
    whole = Fuse()
    die(story_of(), whole)
    return whole.calls


@pytest.mark.parametrize("story_of", STORIES)
@pytest.mark.parametrize(
    ("what", "moments"), [("crash", CRASHES), ("fault", (Moment.FAILS, Moment.LOST))]
)
def test_wherever_the_program_is_stopped_nothing_is_lost_and_nothing_is_told_twice(
    story_of: Callable[[], Story], what: str, moments: Sequence[Moment], record_property: Tell
) -> None:
    tried = points(calls_of(story_of), moments)
    broken: dict[CrashPoint, list[str]] = {}
    for point in tried:
        story = story_of()
        said_before = len(story.service.messages)
        fuse = Fuse(point)
        die(story, fuse)
        assert len(fuse.calls) >= point.call, point
        doubles = unrecorded(story.service)
        assert doubles in {0, 1}
        assert not doubles or fuse.dead or fuse.calls[point.call - 1] == "channel.post"
        recover(story)
        if not fuse.dead and fuse.calls[point.call - 1] == "snoozes.unsettled":
            # snoozes that cannot be read mute nothing
            story.never = [title for title in story.never if title != "kept quiet"]
        found = faults(story, said_before, doubles)
        if found:
            broken[point] = [fuse.calls[point.call - 1], *found]
    record_property("summary", f"{story_of.__name__}: all of {len(tried)} {what} points tried")
    assert broken == {}


@pytest.mark.parametrize("story_of", STORIES)
def test_whenever_another_worker_comes_everything_is_told_once(
    story_of: Callable[[], Story], record_property: Tell
) -> None:
    calls = calls_of(story_of)
    broken: dict[int, list[str]] = {}
    for number in range(1, len(calls) + 1):
        story = story_of()
        said_before = len(story.service.messages)

        def other(service: Story = story) -> None:
            context = service.service.context
            context.work.enqueue(service.job)
            run_scans(context, service.service.clock.now + LAMBDA)

        die(story, Fuse(meanwhile=(number, other)))
        recover(story)
        found = faults(story, said_before, doubles=0)
        if found:
            broken[number] = [calls[number - 1], *found]
    record_property("summary", f"{story_of.__name__}: another worker at each of {len(calls)} calls")
    assert broken == {}


def test_a_story_that_nothing_interrupts_ends_well() -> None:
    for story_of in STORIES:
        story = story_of()
        before = len(story.service.messages)
        die(story, Fuse())
        recover(story)
        assert faults(story, before, doubles=0) == []
