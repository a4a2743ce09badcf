"""From words to the wire: templates become bytes, bytes go out by SMTP."""
