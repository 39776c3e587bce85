"""Reads a monthly report back from the bucket and the Slack thread."""

import csv
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain.finding import Severity
from devstack.aws.session import make_session
from devstack.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class DeliveredReport:
    """The bytes and upload parts of the S3 object, and the bytes of the file in the thread."""

    stored: bytes
    parts: int
    attached: bytes

    @property
    def rows(self) -> int:
        """The number of findings in the object."""
        return _count_rows(self.stored)

    @property
    def thread_rows(self) -> int:
        """The number of findings in the thread."""
        return _count_rows(self.attached)

    def is_complete(self, findings: int) -> bool:
        """Whether the object has all findings once, worst first, and the thread its beginning."""
        lines = self.stored.decode("utf-8-sig").splitlines()
        cells = list(csv.DictReader(lines))
        order = [
            (Severity(each["severity"]).rank, each["title"], each["instance_id"]) for each in cells
        ]
        return (
            len({each["finding_id"] for each in cells}) == len(cells) == findings
            and order == sorted(order)
            and self.thread_rows > 0
            and self.stored.startswith(self.attached)
        )


def read_delivered(stack: Stack) -> DeliveredReport:
    """The only object of the bucket, and the only file of the thread."""
    bucket = stack.resources.reports_bucket
    with closing(make_session().client("s3", endpoint_url=stack.aws.url)) as s3:
        stored, parts = _read_object(s3, bucket)
    (file,) = (file for message in stack.slack.messages for file in message.files)
    return DeliveredReport(stored, parts, file.content)


def _read_object(s3: "S3Client", bucket: str) -> tuple[bytes, int]:
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    found = s3.get_object(Bucket=bucket, Key=listed["Key"])
    # the ETag of a multipart upload ends with the number of parts
    _, _, parts = found["ETag"].strip('"').partition("-")
    return found["Body"].read(), int(parts or 1)


def _count_rows(content: bytes) -> int:
    return content.count(b"\r\n") - 1
