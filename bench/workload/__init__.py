"""What is measured with: a fleet of services, their promises, their traffic, and a backlog of it on a broker."""
