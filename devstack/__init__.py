"""Runs ec2-inspec-scan on one machine: stand-ins of AWS and Slack, a report loader, a story.

Nothing here is packaged for Lambda.
"""
