"""`python -m ops.ping`: a test message and a test file to the channel of a stage."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from chalicelib.adapters.secrets import ParameterSecrets
from chalicelib.adapters.slack import slack_channel
from chalicelib.domain.message import Rendered
from ops import checks
from ops.checks import Place
from ops.command import ended, say, stage_parser
from ops.stages import Stage, read_stage
from ops.stop import stopping

SETTING = "SLACK_TOKEN_PARAMETER"
SLACK = "https://slack.com/api/"
# Seconds to wait where Slack asks for it.
WAIT = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Send both; 1 where Slack or AWS refused, with the reason on standard error."""
    name = stage_parser("ping", __doc__).parse_args(arguments).stage
    return ended("ping", lambda: ping(read_stage(name), checks.place(), datetime.now(UTC)))


def ping(stage: Stage, where: Place, now: datetime) -> None:
    """Post as the functions of the stage do, with the same token and channel."""
    secrets = ParameterSecrets(where.session.client("ssm"))
    token = partial(secrets.read, stage.setting(SETTING), SETTING, fresh=True)
    channel = slack_channel(
        token,
        stage.setting("SLACK_CHANNEL"),
        stage.env.get("SLACK_BASE_URL", SLACK),
        longest_wait=WAIT,
    )
    text = (
        f"Test message of ec2-inspec-scan: account {where.account}, region {where.region}, "
        f"stage {stage.name}. Nothing is wrong."
    )
    block = {"type": "section", "text": {"type": "plain_text", "text": text}}
    with stopping("Slack"):
        thread = channel.post(Rendered(text, (block,)))
        content = f"tested at,{now:%Y-%m-%d %H:%M:%S} UTC\n".encode()
        channel.attach(thread, "test.csv", "Test file", content)
    say(f"A message and a file were posted to {stage.setting('SLACK_CHANNEL')}: look at them.")


if __name__ == "__main__":
    sys.exit(main())
