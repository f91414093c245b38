"""The finished list: places, ceilings, floors and diversity."""
