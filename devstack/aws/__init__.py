"""AWS on localhost: moto's server with the SSM Compliance actions it lacks."""
