"""The load process: who asks for what, when, over which protocol."""
