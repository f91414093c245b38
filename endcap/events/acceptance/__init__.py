"""From what was sent to what is stored: one event judged, its clock set right, its consent kept."""
