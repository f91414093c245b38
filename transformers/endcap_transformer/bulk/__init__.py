"""The bulk lane: many lists of one request, made together and behind those that shoppers wait for."""
