"""A message whose findings are all of one control says how to mend them."""

import pytest

from chalicelib.domain.control import ControlText
from tests.fleet import MINUTE, Service

FIXES = {"ssh-01": ControlText("What", "Do it."), "ssh-02": ControlText("What", "Do that.")}


def read_fix(service: Service) -> str:
    message = service.run().announcement.message
    assert message is not None
    assert message.alert is not None
    return message.alert.fix


@pytest.mark.parametrize(
    ("controls", "fix"),
    [
        (["ssh-01"], "Do it."),
        (["ssh-01", "ssh-01"], "Do it."),
        (["ssh-02"], "Do that."),
        (["ssh-01", "ssh-02"], ""),
        (["other"], ""),
        ([""], ""),
        (["ssh-01", ""], ""),
    ],
)
def test_the_fix_of_the_only_control_is_in_the_message(
    service: Service, controls: list[str], fix: str
) -> None:
    service.controls.texts = {**FIXES, "": ControlText("", "of no control")}
    for number, control in enumerate(controls):
        service.report(f"i-{number}", "A", control=control)

    assert read_fix(service) == fix


def test_a_message_without_findings_has_no_fix(service: Service) -> None:
    service.controls.texts = FIXES
    service.report("i-1", "A")
    service.run()
    service.clock.forward(61 * MINUTE)
    service.report("i-1", "A", run="run-2")
    service.enqueue(nodes={"Success": 1})

    assert read_fix(service) == ""
