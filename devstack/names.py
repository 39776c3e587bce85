"""The made-up names of the local account; no secret is among them."""

ACCOUNT = "123456789012"  # the account moto gives to credentials it does not know
REGION = "us-east-1"
CHANNEL_ID = "C0DEVSTACK"
TOKEN = "xoxb-devstack"  # noqa: S105 - only the stand-in takes it
TOKEN_PARAMETER = "/ec2-inspec-scan/devstack/slack-token"  # noqa: S105 - a name
API_TOKENS_PARAMETER = "/ec2-inspec-scan/devstack/api-tokens"
ASSOCIATION = "6e37940a-23ba-4ab0-9b96-5d0a1a05464f"
