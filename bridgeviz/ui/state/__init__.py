"""What a session holds: settings, the link, the page, the selection."""
