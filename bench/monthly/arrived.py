"""What of a monthly report has arrived in the bucket and in the thread."""

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
class Arrived:
    """The object's bytes and upload parts, and the bytes of the file in the thread."""

    stored: bytes
    parts: int
    attached: bytes

    @property
    def rows(self) -> int:
        """Findings in the object."""
        return _rows(self.stored)

    @property
    def attached_rows(self) -> int:
        """Findings in the thread."""
        return _rows(self.attached)

    def whole(self, findings: int) -> bool:
        """Whether all are in the object once, the worst first, and the thread has the first."""
        lines = self.stored.decode("utf-8-sig").splitlines()
        cells = list(csv.DictReader(lines))
        order = [
            (Severity(each["severity"]).rank, each["title"], each["instance_id"]) for each in cells
        ]
        return (
            len({each["finding_id"] for each in cells}) == len(cells) == findings
            and order == sorted(order)
            and self.attached_rows > 0
            and self.stored.startswith(self.attached)
        )


def arrived(running: Stack) -> Arrived:
    """The one object of the bucket and the one file of the thread."""
    bucket = running.resources.reports_bucket
    with closing(make_session().client("s3", endpoint_url=running.aws.url)) as s3:
        stored, parts = _stored(s3, bucket)
    (file,) = (file for message in running.slack.messages for file in message.files)
    return Arrived(stored, parts, file.content)


def _stored(s3: "S3Client", bucket: str) -> tuple[bytes, int]:
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    answer = s3.get_object(Bucket=bucket, Key=listed["Key"])
    # the ETag of a multipart upload ends in the number of its parts
    _, _, parts = answer["ETag"].strip('"').partition("-")
    return answer["Body"].read(), int(parts or 1)


def _rows(content: bytes) -> int:
    return content.count(b"\r\n") - 1
