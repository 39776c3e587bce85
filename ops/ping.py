"""Posts a test message and a test file to the Slack channel of a stage."""

from datetime import UTC, datetime
from functools import partial

from chalicelib.adapters.slack import slack_channel
from chalicelib.aws import read_parameter
from chalicelib.reports.slack_blocks import Rendered
from ops.aws import explain_errors, find_account
from ops.console import print_line
from ops.stages import read_stage

TOKEN_SETTING = "SLACK_TOKEN_PARAMETER"  # noqa: S105 - the name of a setting
SLACK = "https://slack.com/api/"
# Seconds to wait if Slack asks for a pause.
LONGEST_WAIT = 10.0


def ping(name: str) -> None:
    """Post with the token and channel that the stage's functions use."""
    stage = read_stage(name)
    account = find_account(stage)
    ssm = account.session.client("ssm")
    channel_id = stage.require_setting("SLACK_CHANNEL")
    channel = slack_channel(
        partial(read_parameter, ssm, stage.require_setting(TOKEN_SETTING), TOKEN_SETTING),
        channel_id,
        stage.env.get("SLACK_BASE_URL", SLACK),
        longest_wait=LONGEST_WAIT,
    )
    text = (
        f"Test message of ec2-inspec-scan: account {account.id}, region {account.region}, "
        f"stage {stage.name}. Nothing is wrong."
    )
    block = {"type": "section", "text": {"type": "plain_text", "text": text}}
    csv = f"tested at,{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode()
    with explain_errors("Slack"):
        thread = channel.post(Rendered(text, (block,)))
        channel.attach(thread, "test.csv", "Test file", csv)
    print_line(f"Posted a message and a file to {channel_id}. Check that both are there.")
