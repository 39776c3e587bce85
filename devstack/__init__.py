"""AWS and Slack for one machine: stand-ins, loader and story. Never packed."""
