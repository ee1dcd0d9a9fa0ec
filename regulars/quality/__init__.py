"""Quality of data: quarantine, gates, detection."""
