"""What Slack shows of a scan and of a month: the front of the Slack renderers."""

from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_monthly import render_monthly

__all__ = ["Origin", "render_alert", "render_monthly"]
