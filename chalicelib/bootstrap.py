"""The composition root: the only place that builds adapters, once per Lambda environment."""

import os
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import (
    DynamoFacts,
    DynamoJournal,
    DynamoTitles,
    DynamoUnchecked,
)
from chalicelib.adapters.dynamodb.snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb.work import DynamoLease, DynamoWork
from chalicelib.adapters.s3 import CONTROLS_KEY, S3Files, S3Output, StoredControls, decode_controls
from chalicelib.adapters.slack import SlackChannel, SlackOutput, slack_channel
from chalicelib.adapters.sorted_runs import SortedRuns
from chalicelib.adapters.ssm import SsmCompliance, SsmExecutions
from chalicelib.aws import CallCounter, read_parameter
from chalicelib.domain.errors import BadSetting
from chalicelib.domain.snooze_rules import SnoozeLimits
from chalicelib.reports.csv_file import (
    SEPARATORS,
    render_alert_csv,
    render_changes_csv,
    render_csv,
)
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_blocks import Origin
from chalicelib.reports.slack_monthly import render_monthly
from chalicelib.settings import Settings
from chalicelib.startup import open_session
from chalicelib.usecases.context import Context, Inbox
from chalicelib.usecases.inventory import WarmInventory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

    from chalicelib.domain.control import ControlText

SERVICE = "ec2-inspec-scan"
# Packaging puts it beside app.py (ops/controls.py).
PACKAGED = Path(__file__).parents[1] / CONTROLS_KEY
# Seconds. The SDK's default of 60 would use up the time that is reserved for announcing.
CONNECT_TIMEOUT = 5
READ_TIMEOUT = 20
# Seconds to wait, once, if Slack asks to retry later.
SLACK_WAIT = 10.0
# A bucket that hangs must not use up the time for announcing. The next scan tries again.
S3_ATTEMPTS = 2
# SSM publishes no rate limit for its compliance calls. Adaptive retries find it.
SSM_RETRIES = 10


class Runtime:
    """Everything that one process needs, built from its settings on first use.

    All clients come from `session`. A benchmark passes one that it observes.
    """

    def __init__(self, settings: Settings, session: boto3.Session | None = None) -> None:
        self.settings = settings
        self.calls = CallCounter()
        self.log = Logger(service=SERVICE, level=settings.log_level)
        self._session = session or open_session()
        self.calls.watch(self._session)
        self._timeouts = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)

    def clock(self) -> datetime:
        """Returns the current time, aware UTC."""
        return datetime.now(UTC)

    def context(self, account: str, region: str) -> Context:
        """Returns the ports of a scan. Messages show the account and region."""
        settings = self.settings
        origin = Origin(account, region, settings.stage, settings.timezone)
        nodes = DynamoNodes(self._dynamodb.Table(settings.nodes_table))
        findings = DynamoFindings(self._dynamodb.Table(settings.findings_table))
        separator = SEPARATORS[settings.csv_separator]
        return Context(
            compliance=self._compliance,
            executions=self._executions,
            findings=findings,
            nodes=nodes,
            titles=DynamoTitles(self._ledger),
            unchecked=DynamoUnchecked(self._ledger),
            facts=DynamoFacts(self._ledger, nodes, findings),
            lease=DynamoLease(self._ledger),
            work=DynamoWork(self._ledger),
            snoozes=DynamoSnoozes(self._ledger),
            journal=DynamoJournal(self._ledger),
            files=self._files,
            controls=self._controls,
            sorter=SortedRuns(),
            outputs=(
                SlackOutput(
                    self._channel,
                    partial(render_alert, origin=origin),
                    partial(render_monthly, origin=origin),
                ),
                S3Output(self._files, settings.reports_bucket),
            ),
            render_csv=partial(render_csv, separator=separator),
            render_announced=partial(render_alert_csv, separator=separator),
            render_changes=partial(render_changes_csv, separator=separator),
            clock=self.clock,
            concurrency=settings.ssm_concurrency,
            quiet_answers=settings.quiet_answers,
            keep_unchecked=timedelta(days=settings.unchecked_days),
        )

    @cached_property
    def inbox(self) -> Inbox:
        """The ports of the API. They stay, and with them the inventory of a warm process."""
        settings = self.settings
        nodes = DynamoNodes(self._dynamodb.Table(settings.nodes_table))
        archive, titles = DynamoJournal(self._ledger), DynamoTitles(self._ledger)
        return Inbox(
            findings=DynamoFindings(self._dynamodb.Table(settings.findings_table)),
            nodes=nodes,
            unchecked=DynamoUnchecked(self._ledger),
            snoozes=DynamoSnoozes(self._ledger),
            work=DynamoWork(self._ledger),
            archive=archive,
            clock=self.clock,
            limits=SnoozeLimits(
                timedelta(days=settings.max_snooze_days), settings.allow_permanent_snooze
            ),
            inventory=WarmInventory(nodes, titles, archive),
            controls=StoredControls(self._controls, self._files, self.clock),
        )

    @cached_property
    def tokens(self) -> ParameterTokens:
        """The API's tokens, cached for five minutes; `BadSetting` if none are set up."""
        parameter = self.settings.api_tokens_parameter
        if parameter is None:
            raise BadSetting("API_TOKENS_PARAMETER", "is missing, so the API refuses every token")
        return ParameterTokens(self._session.client("ssm", config=self._timeouts), parameter)

    @cached_property
    def _dynamodb(self) -> "DynamoDBServiceResource":
        return self._session.resource("dynamodb", config=self._timeouts)

    @cached_property
    def _ledger(self) -> "Table":
        return self._dynamodb.Table(self.settings.ledger_table)

    @cached_property
    def _compliance(self) -> SsmCompliance:
        config = self._timeouts.merge(
            Config(
                retries={"mode": "adaptive", "max_attempts": SSM_RETRIES},
                max_pool_connections=max(10, self.settings.ssm_concurrency),
            )
        )
        client = self._session.client("ssm", config=config)
        return SsmCompliance(client, self.settings.compliance_types)

    @cached_property
    def _executions(self) -> SsmExecutions:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=CONNECT_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        return SsmExecutions(partial(self._session.client, "ssm", config=config))

    @cached_property
    def _files(self) -> S3Files:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=CONNECT_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": S3_ATTEMPTS},
        )
        return S3Files(
            partial(self._session.client, "s3", config=config), self.settings.reports_bucket
        )

    @cached_property
    def _controls(self) -> "Mapping[str, ControlText]":
        """What our profile says of its controls. A checkout has no package that would have it."""
        return decode_controls(PACKAGED.read_bytes()) if PACKAGED.exists() else {}

    @cached_property
    def _channel(self) -> SlackChannel:
        def read_token() -> str:
            client = self._session.client("ssm", config=self._timeouts)
            parameter = self.settings.slack_token_parameter
            return read_parameter(client, parameter, "SLACK_TOKEN_PARAMETER")

        return slack_channel(
            read_token,
            self.settings.slack_channel,
            self.settings.slack_base_url,
            longest_wait=SLACK_WAIT,
        )


@cache
def runtime() -> Runtime:
    """Returns the runtime of this process; `BadSetting` names a missing or wrong setting."""
    return Runtime(Settings.from_env(os.environ))
