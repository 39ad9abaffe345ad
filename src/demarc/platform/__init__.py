"""What everything stands on: database, changes, jobs, settings, secrets, telemetry."""
