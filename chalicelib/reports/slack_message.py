"""What Slack shows of a scan and of a month: the front of the Slack renderers."""

from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_alert import alert_message
from chalicelib.reports.slack_monthly import monthly_message

__all__ = ["Origin", "alert_message", "monthly_message"]
