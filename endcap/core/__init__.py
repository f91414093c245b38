"""What every part stands on: settings, log, errors, clock, files."""
