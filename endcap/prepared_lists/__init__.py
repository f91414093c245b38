"""Lists that are made for many people before anybody sees them, as mails need."""
