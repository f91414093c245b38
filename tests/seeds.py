"""How many seeds a test runs that breaks something at random: one in the suite, more where ENDCAP_TEST_SEEDS says so."""

import os

SEEDS = range(7, 7 + int(os.environ.get("ENDCAP_TEST_SEEDS", "1")))
