"""AWS on this machine: moto's server, with the SSM Compliance actions that moto lacks."""
