"""The stand-ins of AWS and Slack, and the loader of InSpec reports."""
