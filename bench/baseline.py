"""The baseline: a simple, correct program that our scan is compared with. It is never shipped.

It lists the items of every node, looks up each with GetItem, writes a new one with PutItem, and
deletes the rows of fixed ones with DeleteItem after a Scan of the table. It has one client and
makes one call at a time. One GetItem for each finding is what makes it slow, and no program that
people run does that: a comparison with it claims no speed.
"""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from slack_sdk import WebClient

from chalicelib.domain.finding import finding_id

COLUMNS = ("finding_id", "instance_id", "title", "severity", "control_id", "first_seen")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The session, the findings table and the channel."""

    session: boto3.Session
    table: str
    slack: WebClient
    channel: str

    def scan(self) -> dict[str, int]:
        """Make the table equal to SSM and announce new findings. Returns counts."""
        ssm = self.session.client("ssm")
        dynamodb = self.session.client("dynamodb")
        observed = {}
        new = []
        for node in self._list_nodes(ssm):
            for item in self._list_items(ssm, node):
                key = finding_id(node, item["Title"])
                observed[key] = item
                found = dynamodb.get_item(TableName=self.table, Key={"finding_id": {"S": key}})
                if "Item" not in found:
                    row = self._make_row(key, node, item)
                    cells = {name: {"S": value} for name, value in row.items()}
                    dynamodb.put_item(TableName=self.table, Item=cells)
                    new.append(row)
        fixed = 0
        for page in dynamodb.get_paginator("scan").paginate(TableName=self.table):
            for stored in page["Items"]:
                if stored["finding_id"]["S"] not in observed:
                    dynamodb.delete_item(
                        TableName=self.table, Key={"finding_id": stored["finding_id"]}
                    )
                    fixed += 1
        self._announce(new)
        return {"new": len(new), "fixed": fixed, "open": len(observed)}

    def _list_nodes(self, ssm: Any) -> list[str]:
        pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(
            Filters=[{"Key": "ComplianceType", "Values": ["Custom:InSpec"], "Type": "EQUAL"}],
            PaginationConfig={"PageSize": 50},
        )
        rows = [row for page in pages for row in page["ResourceComplianceSummaryItems"]]
        return [row["ResourceId"] for row in rows]

    def _list_items(self, ssm: Any, node: str) -> list[dict[str, Any]]:
        pages = ssm.get_paginator("list_compliance_items").paginate(
            ResourceIds=[node],
            ResourceTypes=["ManagedInstance"],
            Filters=[
                {"Key": "ComplianceType", "Values": ["Custom:InSpec"], "Type": "EQUAL"},
                {"Key": "Status", "Values": ["NON_COMPLIANT"], "Type": "EQUAL"},
            ],
            PaginationConfig={"PageSize": 50},
        )
        return [item for page in pages for item in page["ComplianceItems"]]

    def _make_row(self, key: str, node: str, item: dict[str, Any]) -> dict[str, str]:
        now = datetime.now(UTC).isoformat()
        values = (key, node, item["Title"], item["Severity"], item["Id"], now)
        return dict(zip(COLUMNS, values, strict=True))

    def _announce(self, new: list[dict[str, str]]) -> None:
        if not new:
            self.slack.chat_postMessage(channel=self.channel, text="No new findings")
            return
        response = self.slack.chat_postMessage(
            channel=self.channel, text=f"{len(new)} new findings"
        )
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(new)
        self.slack.files_upload_v2(
            channel=self.channel,
            filename="findings.csv",
            content=text.getvalue(),
            thread_ts=response["ts"],
        )
