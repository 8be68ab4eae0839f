"""One file a command; `app.py` holds the only place that exits."""
