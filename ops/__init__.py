"""What the service needs around it in an AWS account, and the commands that tend it."""
