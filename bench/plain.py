"""The first idea, written plainly and correctly: what the pass is measured against. Never shipped.

Every node's items are listed, each is looked up with GetItem, a new one is written with PutItem,
and what a scan of the table shows beyond them is deleted with DeleteItem; one client, one call
after the other.
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
class Plain:
    """What the plain program needs."""

    session: boto3.Session
    table: str
    slack: WebClient
    channel: str

    def scan(self) -> dict[str, int]:
        """Bring the table to what SSM shows and tell what is new."""
        ssm = self.session.client("ssm")
        dynamodb = self.session.client("dynamodb")
        observed = {}
        opened = []
        for node in self._nodes(ssm):
            for item in self._items(ssm, node):
                key = finding_id(node, item["Title"])
                observed[key] = item
                found = dynamodb.get_item(TableName=self.table, Key={"finding_id": {"S": key}})
                if "Item" not in found:
                    row = self._row(key, node, item)
                    cells = {name: {"S": value} for name, value in row.items()}
                    dynamodb.put_item(TableName=self.table, Item=cells)
                    opened.append(row)
        resolved = 0
        for page in dynamodb.get_paginator("scan").paginate(TableName=self.table):
            for stored in page["Items"]:
                if stored["finding_id"]["S"] not in observed:
                    dynamodb.delete_item(
                        TableName=self.table, Key={"finding_id": stored["finding_id"]}
                    )
                    resolved += 1
        self._tell(opened)
        return {"opened": len(opened), "resolved": resolved, "open": len(observed)}

    def _nodes(self, ssm: Any) -> list[str]:
        pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(
            Filters=[{"Key": "ComplianceType", "Values": ["Custom:InSpec"], "Type": "EQUAL"}],
            PaginationConfig={"PageSize": 50},
        )
        rows = [row for page in pages for row in page["ResourceComplianceSummaryItems"]]
        return [row["ResourceId"] for row in rows]

    def _items(self, ssm: Any, node: str) -> list[dict[str, Any]]:
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

    def _row(self, key: str, node: str, item: dict[str, Any]) -> dict[str, str]:
        now = datetime.now(UTC).isoformat()
        values = (key, node, item["Title"], item["Severity"], item["Id"], now)
        return dict(zip(COLUMNS, values, strict=True))

    def _tell(self, opened: list[dict[str, str]]) -> None:
        if not opened:
            self.slack.chat_postMessage(channel=self.channel, text="No new findings")
            return
        answer = self.slack.chat_postMessage(
            channel=self.channel, text=f"{len(opened)} new findings"
        )
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(opened)
        self.slack.files_upload_v2(
            channel=self.channel,
            filename="findings.csv",
            content=text.getvalue(),
            thread_ts=answer["ts"],
        )
