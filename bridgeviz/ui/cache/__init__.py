"""What the stages of a run give: solved once per server, shared by all sessions, and never changed."""
