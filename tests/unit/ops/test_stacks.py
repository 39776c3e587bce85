"""Stacks against scripted responses of CloudFormation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from devstack.aws.session import make_session
from ops.console import CommandError
from ops.stacks import StackSpec, apply_stack, delete_stack, inline_values

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import WaiterConfigTypeDef

VALUES = {"Stage": "dev", "AWS::Region": "eu-central-1"}
SPEC = StackSpec("data", "Resources: {}", {"Stage": "dev"}, {"app": "ec2-inspec-scan"})
AT_ONCE: "WaiterConfigTypeDef" = {"Delay": 0, "MaxAttempts": 3}


class Script:
    """A CloudFormation that gives the responses of a list, in order."""

    def __init__(self, stubber: Stubber) -> None:
        self.stubber = stubber
        self.client: Any = stubber.client
        self.lines: list[str] = []

    def stack(self, *statuses: str) -> None:
        for status in statuses:
            stack = {"StackName": "data", "CreationTime": "2026-01-31", "StackStatus": status}
            outputs = [{"OutputKey": "FindingsTable", "OutputValue": "findings"}]
            response = {"Stacks": [{**stack, "Outputs": outputs}]}
            self.stubber.add_response("describe_stacks", response, {"StackName": "data"})

    def no_stack(self) -> None:
        self.stubber.add_client_error("describe_stacks", "ValidationError")

    def change_set(self, kind: str, status: str, reason: str = "") -> None:
        expected = {
            "StackName": "data",
            "ChangeSetName": ANY,
            "ChangeSetType": kind,
            "TemplateBody": SPEC.template,
            "Parameters": [{"ParameterKey": "Stage", "ParameterValue": "dev"}],
            "Tags": [{"Key": "app", "Value": "ec2-inspec-scan"}],
            "ImportExistingResources": True,
        }
        self.stubber.add_response("create_change_set", {}, expected)
        for each in ("CREATE_IN_PROGRESS", status):
            response = {"Status": each, "StatusReason": reason}
            self.stubber.add_response("describe_change_set", response)

    def executed(self) -> None:
        self.stubber.add_response("execute_change_set", {})

    def events(self, *events: tuple[str, str, str]) -> None:
        """Add the stack's events, oldest first: logical id, status, reason."""
        listed = [
            {
                "StackId": "data",
                "EventId": str(number),
                "StackName": "data",
                "Timestamp": "2026-01-31",
                "LogicalResourceId": name,
                "ResourceType": "AWS::CloudFormation::Stack" if name == "data" else "AWS::S3::X",
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
            for number, (name, status, reason) in enumerate(events)
        ]
        self.stubber.add_response("describe_stack_events", {"StackEvents": listed[::-1]})

    def apply(self) -> dict[str, str]:
        return apply_stack(self.client, SPEC, self.lines.append, AT_ONCE)

    def delete(self) -> None:
        delete_stack(self.client, "data", self.lines.append, AT_ONCE)


@pytest.fixture
def script() -> Iterator[Script]:
    client = make_session().client("cloudformation")
    with Stubber(client) as stubber:
        yield Script(stubber)
        stubber.assert_no_pending_responses()


def test_a_new_stack_is_created_and_its_outputs_are_returned(script: Script) -> None:
    script.no_stack()
    script.change_set("CREATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_COMPLETE")

    assert script.apply() == {"FindingsTable": "findings"}

    assert script.lines == ["  data: creating", "  data: done"]


def test_an_existing_stack_is_updated(script: Script) -> None:
    script.stack("CREATE_COMPLETE")
    script.change_set("UPDATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_COMPLETE")

    assert script.apply() == {"FindingsTable": "findings"}

    assert script.lines == ["  data: updating", "  data: done"]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_no_error(script: Script, reason: str) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "FAILED", reason)
    script.stubber.add_response("delete_change_set", {})
    script.stack("UPDATE_COMPLETE")

    assert script.apply() == {"FindingsTable": "findings"}

    assert script.lines == ["  data: no changes"]


def test_a_refused_change_set_is_explained(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "FAILED", "Parameters: [Stage]\n must have values")

    with pytest.raises(CommandError, match=r"data cannot be changed: Parameters: \[Stage\] must"):
        script.apply()


def test_a_failed_update_names_the_first_resource_that_failed(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    script.events(
        ("data", "UPDATE_IN_PROGRESS", ""),
        ("Older", "UPDATE_FAILED", "an earlier update"),
        ("data", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Bucket", "CREATE_FAILED", "the name\n is taken"),
        ("Table", "CREATE_FAILED", "Resource creation cancelled"),
        ("data", "UPDATE_ROLLBACK_COMPLETE", ""),
    )

    with pytest.raises(
        CommandError, match=r"^data is UPDATE_ROLLBACK_COMPLETE: Bucket: the name is taken$"
    ):
        script.apply()


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "IMPORT_COMPLETE"])
def test_a_stack_that_imports_existing_resources_is_done(script: Script, status: str) -> None:
    script.no_stack()
    script.change_set("CREATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("IMPORT_IN_PROGRESS", status, status)

    assert script.apply() == {"FindingsTable": "findings"}


def test_the_status_before_a_deletion_is_not_its_failure(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.stubber.add_response("delete_stack", {})
    script.stack("UPDATE_COMPLETE", "DELETE_IN_PROGRESS")
    script.no_stack()

    script.delete()

    assert script.lines == ["  data: deleted"]


def test_a_failed_creation_names_the_first_resource_that_failed(script: Script) -> None:
    script.no_stack()
    script.change_set("CREATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE")
    script.events(("data", "CREATE_IN_PROGRESS", ""), ("Table", "CREATE_FAILED", "no quota"))

    with pytest.raises(CommandError, match=r"^data is ROLLBACK_COMPLETE: Table: no quota$"):
        script.apply()


def test_what_a_failed_creation_left_behind_is_deleted_first(script: Script) -> None:
    script.stack("ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE")
    script.stubber.add_response("delete_stack", {}, {"StackName": "data"})
    script.stack("DELETE_IN_PROGRESS")
    script.no_stack()
    script.change_set("CREATE", "CREATE_COMPLETE")
    script.executed()
    script.stack("CREATE_COMPLETE", "CREATE_COMPLETE")

    script.apply()

    assert script.lines[0] == "  data: removing what a failed creation left behind"


def test_waiting_ends_after_the_last_poll(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "CREATE_COMPLETE")
    script.executed()
    script.stack(*["UPDATE_IN_PROGRESS"] * 3)

    with pytest.raises(CommandError, match="data is still UPDATE_IN_PROGRESS; look at it"):
        script.apply()


def test_waiting_for_changes_ends_after_the_last_poll(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "CREATE_IN_PROGRESS")
    script.stubber.add_response("describe_change_set", {"Status": "CREATE_IN_PROGRESS"})

    with pytest.raises(CommandError, match="did not prepare the changes in time; run this again"):
        script.apply()


def test_credentials_that_expire_while_waiting_are_reported(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.change_set("UPDATE", "CREATE_COMPLETE")
    script.executed()
    script.stubber.add_client_error("describe_stacks", "ExpiredToken")

    with pytest.raises(ClientError, match="ExpiredToken"):
        script.apply()


def test_deleting_waits_until_the_stack_is_gone(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.stubber.add_response("delete_stack", {}, {"StackName": "data"})
    script.stack("DELETE_IN_PROGRESS")
    script.no_stack()

    script.delete()

    assert script.lines == ["  data: deleted"]


def test_deleting_a_stack_that_does_not_exist_does_nothing(script: Script) -> None:
    script.no_stack()

    script.delete()

    assert script.lines == ["  data: does not exist"]


def test_a_failed_deletion_names_the_resource(script: Script) -> None:
    script.stack("UPDATE_COMPLETE")
    script.stubber.add_response("delete_stack", {})
    script.stack("DELETE_IN_PROGRESS", "DELETE_FAILED")
    script.events(("data", "DELETE_IN_PROGRESS", ""), ("Topic", "DELETE_FAILED", "no permission"))

    with pytest.raises(CommandError, match=r"^data is DELETE_FAILED: Topic: no permission$"):
        script.delete()


def test_names_become_literal_so_that_existing_resources_can_be_imported() -> None:
    template = 'TableName: !Sub "ec2-inspec-scan-${Stage}-findings"'

    assert inline_values(template, VALUES) == 'TableName: "ec2-inspec-scan-dev-findings"'


def test_a_text_with_other_values_stays_a_function() -> None:
    template = 'Arn: !Sub "arn:${AWS::Partition}:sns:${AWS::Region}:x-${Stage}"'

    assert inline_values(template, VALUES) == (
        'Arn: !Sub "arn:${AWS::Partition}:sns:eu-central-1:x-dev"'
    )
