"""The challenger against the champion: deployed or refused, with the reason."""
