"""Feature tables to where Feast reads them."""
