"""The merchandisers' rules, compiled for a catalogue and applied to candidates."""
